import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { Failure } from '#base/errors.ts'
import { LayerStream, type LayerDigests } from './layer-stream.ts'

/** One path of a layer: exactly one of `source`, `content`, `link` and `directory` says what it is. */
export interface LayerSource {
  /** Absolute or relative to `/` in the image. */
  readonly path: string
  /** Permission bits. Default 0o755 for directories, 0o644 for files. */
  readonly mode?: number
  /** A file of this machine. */
  readonly source?: string
  readonly content?: Buffer | string
  /** Target of a symbolic link. */
  readonly link?: string
  readonly directory?: true
}

/** Layer of a file on disk, ready to be put into images. */
export interface LayerFile extends Pick<LayerDigests, 'digest' | 'diffId' | 'size'> {
  /** The tar.gz on this machine. */
  readonly path: string
  /** Entry point of an image that has this layer, when it is the supervisor's. */
  readonly entrypoint?: readonly string[]
}

function clean(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.length === 0 || parts.includes('..')) throw new Failure('LAYER_ENTRY_INVALID', `"${path}" is not a path of an image`, { remedy: 'give an absolute path without ".."' })
  return parts.join('/')
}

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0
}

/** Adds the folders that lie above the given paths and are not given themselves; sorted, so that parents come first. */
function withParents(files: readonly LayerSource[]): LayerSource[] {
  const found = new Map<string, LayerSource>()
  for (const file of files) {
    const path = clean(file.path)
    if (found.has(path)) throw new Failure('LAYER_ENTRY_INVALID', `"${path}" is given twice`, { remedy: 'give every path once' })
    found.set(path, { ...file, path })
  }
  for (const path of Array.from(found.keys())) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = path.slice(0, slash)
      if (!found.has(parent)) found.set(parent, { path: parent, directory: true })
    }
  }
  return [...found.values()].sort(byPath)
}

async function add(layer: LayerStream, file: LayerSource): Promise<void> {
  const { path } = file
  if (file.directory === true) return layer.entry({ path, type: 'directory', mode: file.mode ?? 0o755, size: 0 })
  if (file.link !== undefined) return layer.entry({ path, type: 'symlink', mode: 0o777, size: 0, target: file.link })
  if (file.content !== undefined) {
    const content = Buffer.from(file.content)
    return layer.entry({ path, type: 'file', mode: file.mode ?? 0o644, size: content.length }, [content])
  }
  if (file.source === undefined) throw new Failure('LAYER_ENTRY_INVALID', `"${path}" has no content`, { remedy: 'give one of source, content, link and directory' })
  const { size } = await stat(file.source)
  await layer.entry({ path, type: 'file', mode: file.mode ?? 0o644, size }, createReadStream(file.source, { highWaterMark: 256 << 10 }))
}

/**
 * Makes a tar.gz layer of these files: sorted by path, missing parent folders added, owner 0:0, time 0, so that the same
 * files give the same digest on every machine (of one runtime version: the bytes of gzip are zlib's). `out` appears whole or not at all.
 */
export async function layerFromFiles(files: readonly LayerSource[], out: string): Promise<LayerFile> {
  const draft = `${out}.${randomUUID()}.part`
  const file = await open(draft, 'w')
  const layer = new LayerStream((bytes) => file.writeFile(bytes))
  try {
    for (const source of withParents(files)) await add(layer, source)
    const { digest, diffId, size } = await layer.end()
    await file.close()
    await rename(draft, out)
    return { path: out, digest, diffId, size }
  } catch (error) {
    await layer.abort()
    await file.close().catch(() => {})
    await rm(draft, { force: true })
    throw error
  }
}
