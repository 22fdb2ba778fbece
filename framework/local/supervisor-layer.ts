// The layer that every business image shares: tarsnode, its runtime, loader and libraries.
import { execa } from 'execa'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import { supervisorLibraries } from '../../base-images/recipe.ts'
import { stageBase } from '../../base-images/rootfs.ts'
import { layerFromFiles, type LayerFile } from '../../imagebuilder/layer.ts'
import { hostPlatform } from '../../imagebuilder/oci/types.ts'
import type { SupervisorLayer } from '../../imagebuilder/supervisor.ts'
import { buildSupervisor } from '../../node/build.ts'
import { supervisorFiles } from '../../node/files.ts'
import { ENTRYPOINT, type Architecture } from '../../node/layout.ts'

/**
 * Bundles tarsnode and makes its layer, once a content.
 * @returns the layer, and the file that describes it (TARSIMAGE_SUPERVISOR of tarsimage)
 */
export async function supervisorLayer(cacheDir: string, signal?: AbortSignal): Promise<{ layer: SupervisorLayer; file: string }> {
  const arch = process.arch as Architecture
  await mkdir(cacheDir, { recursive: true })
  const bundle = await buildSupervisor(join(cacheDir, 'supervisor'))
  const { root: glibc } = await stageBase(supervisorLibraries, { cacheDir, ...(signal === undefined ? {} : { signal }) })
  const files = supervisorFiles({ bundle, glibc, arch })
  const key = await keyOf(files, ENTRYPOINT)
  const file = join(cacheDir, `supervisor-${key}.json`)
  if (!existsSync(file)) {
    const layer = await compressHarder(await layerFromFiles(files, join(cacheDir, `supervisor-${key}.tar.gz`)))
    await writeFile(file, JSON.stringify({ ...layer, entrypoint: ENTRYPOINT, architecture: hostPlatform().architecture } satisfies SupervisorLayer))
  }
  return { layer: JSON.parse(await readFile(file, 'utf8')) as SupervisorLayer, file }
}

/** gzip's level: a tenth smaller than the fastest, which is made while somebody waits; higher ones win no percent. */
const LEVEL = 7

/**
 * Every node of a cluster pulls this layer and it is made once a version, so it is worth gzip's own encoder: it finds
 * matches of three bytes, which zlib as built into Node does not.
 */
async function compressHarder(layer: LayerFile): Promise<LayerFile> {
  const draft = `${layer.path}.${process.pid}.part`
  await execa('gzip', [`-${LEVEL}`, '-n'], { input: createReadStream(layer.path).pipe(createGunzip()), stdout: { file: draft }, maxBuffer: Infinity })
  await rename(draft, layer.path)
  const digest = createHash('sha256')
  for await (const bytes of createReadStream(layer.path)) digest.update(bytes as Buffer)
  return { ...layer, digest: `sha256:${digest.digest('hex')}`, size: (await stat(layer.path)).size }
}

/** Bytes above which a file is known by its size: the runtime, whose version is pinned, takes longer to read than all else. */
const readBytes = 16 << 20

/** Names the content: every file counts, so that no layer is taken for another's. */
async function keyOf(files: ReturnType<typeof supervisorFiles>, command: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([process.version, LEVEL, command]))
  for (const { path, mode, source, content } of files) {
    const size = source === undefined ? 0 : (await stat(source)).size
    hash.update(JSON.stringify([path, mode, size])).update(content ?? '')
    if (source !== undefined && size <= readBytes) hash.update(await readFile(source))
  }
  return hash.digest('hex').slice(0, 16)
}
