// The layer that every business image shares: tarsnode, its runtime, loader and libraries.
import { execa } from 'execa'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import { supervisorLibraries } from '../../base-images/recipe.ts'
import { stageBase } from '../../base-images/rootfs.ts'
import { layerFromFiles, type LayerFile } from '../../imagebuilder/layer.ts'
import { hostPlatform } from '../../imagebuilder/oci/types.ts'
import type { SupervisorLayer } from '../../imagebuilder/supervisor.ts'
import { buildSupervisor } from '../../node/build.ts'
import { supervisorFiles, type LayerFile as SupervisorFile } from '../../node/files.ts'
import { ENTRYPOINT, type Architecture } from '../../node/layout.ts'

/**
 * Bundles tarsnode and makes its layer, once a content.
 * @returns the layer, and the file that describes it (TARSIMAGE_SUPERVISOR of tarsimage)
 */
export async function supervisorLayer(cacheDir: string, signal?: AbortSignal): Promise<{ layer: SupervisorLayer; file: string }> {
  return withSupervisorFiles(cacheDir, signal, async (files, work) => {
    const kept = join(cacheDir, `supervisor-${await keyOf(files, ENTRYPOINT)}`)
    const file = `${kept}.json`
    if (!existsSync(file)) {
      const made = await compressHarder(await layerFromFiles(files, join(work, 'layer.tar.gz')))
      const layer: SupervisorLayer = { ...made, path: `${kept}.tar.gz`, entrypoint: ENTRYPOINT, architecture: hostPlatform().architecture }
      const description = join(work, 'layer.json')
      await writeFile(description, JSON.stringify(layer))
      // Whoever makes the same meanwhile puts the same bytes there.
      await rename(made.path, layer.path)
      await rename(description, file)
    }
    return { layer: JSON.parse(await readFile(file, 'utf8')) as SupervisorLayer, file }
  })
}

/**
 * Lends the supervisor's files, bundled into a folder of the caller's own: others of the same cache may bundle at the same
 * time, and other sources.
 * @param use gets that folder, too
 */
export async function withSupervisorFiles<T>(cacheDir: string, signal: AbortSignal | undefined, use: (files: readonly SupervisorFile[], work: string) => Promise<T>): Promise<T> {
  await mkdir(cacheDir, { recursive: true })
  const work = await mkdtemp(join(cacheDir, 'supervisor-'))
  try {
    const bundle = await buildSupervisor(work)
    const { root: glibc } = await stageBase(supervisorLibraries, { cacheDir, ...(signal === undefined ? {} : { signal }) })
    return await use(supervisorFiles({ bundle, glibc, arch: process.arch as Architecture, kept: cacheDir }), work)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** gzip's level: a tenth smaller than the fastest, which is made while somebody waits; higher ones win no percent. */
const LEVEL = 7

/**
 * Every node of a cluster pulls this layer and it is made once a version, so it is worth gzip's own encoder: it finds
 * matches of three bytes, which zlib as built into Node does not.
 */
async function compressHarder(layer: LayerFile): Promise<LayerFile> {
  const draft = `${layer.path}.harder`
  await execa('gzip', [`-${LEVEL}`, '-n'], { input: createReadStream(layer.path).pipe(createGunzip()), stdout: { file: draft }, maxBuffer: Infinity })
  await rename(draft, layer.path)
  const digest = createHash('sha256')
  for await (const bytes of createReadStream(layer.path)) digest.update(bytes as Buffer)
  return { ...layer, digest: `sha256:${digest.digest('hex')}`, size: (await stat(layer.path)).size }
}

/** Bytes above which a file is known by its size: the runtime, whose version is pinned, takes longer to read than all else. */
const readBytes = 16 << 20

/** Names the content: every file counts, so that no layer is taken for another's. */
async function keyOf(files: readonly SupervisorFile[], command: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([process.version, LEVEL, command]))
  for (const { path, mode, source, content } of files) {
    const size = source === undefined ? 0 : (await stat(source)).size
    hash.update(JSON.stringify([path, mode, size])).update(content ?? '')
    if (source !== undefined && size <= readBytes) hash.update(await readFile(source))
  }
  return hash.digest('hex').slice(0, 16)
}
