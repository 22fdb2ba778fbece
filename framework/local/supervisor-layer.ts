// The layer that every business image shares: tarsnode, its runtime, loader and libraries.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { supervisorLibraries } from '../../base-images/recipe.ts'
import { stageBase } from '../../base-images/rootfs.ts'
import { layerFromFiles, type LayerFile } from '../../imagebuilder/layer.ts'
import { buildSupervisor } from '../../node/build.ts'
import { supervisorFiles } from '../../node/files.ts'
import { entrypoint, type Architecture } from '../../node/layout.ts'

export interface SupervisorLayer extends LayerFile {
  readonly entrypoint: readonly string[]
}

/**
 * Bundles tarsnode and makes its layer, once a content.
 * @returns the layer, and the file that describes it (TARSIMAGE_SUPERVISOR of tarsimage)
 */
export async function supervisorLayer(cacheDir: string, signal?: AbortSignal): Promise<{ layer: SupervisorLayer; file: string }> {
  const arch = process.arch as Architecture
  await mkdir(cacheDir, { recursive: true })
  const bundle = await buildSupervisor(join(cacheDir, 'supervisor'))
  const glibc = await stageBase(supervisorLibraries, { cacheDir, ...(signal === undefined ? {} : { signal }) })
  const key = createHash('sha256').update(await readFile(bundle)).update(process.version).update(basename(glibc)).update(entrypoint(arch).join(' ')).digest('hex').slice(0, 16)
  const file = join(cacheDir, `supervisor-${key}.json`)
  if (!existsSync(file)) {
    const layer = await layerFromFiles(supervisorFiles({ bundle, glibc, arch }), join(cacheDir, `supervisor-${key}.tar.gz`))
    await writeFile(file, JSON.stringify({ ...layer, entrypoint: entrypoint(arch) } satisfies SupervisorLayer))
  }
  return { layer: JSON.parse(await readFile(file, 'utf8')) as SupervisorLayer, file }
}
