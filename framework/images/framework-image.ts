// The framework's own image: `tarsk8s <role>` for every role, on the layers that business pods have anyway.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stageBase } from '../../base-images/rootfs.ts'
import { staticbase } from '../../base-images/static/recipe.ts'
import { composeImage, type ComposedImage, type ComposeOptions } from '../../imagebuilder/compose.ts'
import { layerFromFiles, type LayerFile, type LayerSource } from '../../imagebuilder/layer.ts'
import type { ImageLocation } from '../../imagebuilder/oci/location.ts'
import type { RegistryAccess } from '../../imagebuilder/oci/session.ts'
import type { SupervisorLayer } from '../../imagebuilder/supervisor.ts'
import { launcher } from '../../node/launcher.ts'
import { loaderName, SUPERVISOR_DIR, type Architecture } from '../../node/layout.ts'
import { keptLayer } from '../local/base-image.ts'
import { writeAtomic } from '../local/oci/files.ts'
import { supervisorLayer } from '../local/supervisor-layer.ts'
import { bundleEntry, bundleFramework } from './bundle.ts'

export interface FrameworkImageOptions {
  /** Staged roots and layers are kept here. */
  readonly cacheDir: string
  readonly access?: RegistryAccess
  readonly signal?: AbortSignal
}

const folder = '/usr/lib/tarsk8s'
const program = '/usr/bin/tarsk8s'
const supervisorFile = `${folder}/supervisor/layer.json`
/** Not root: the user `tars` of every base image. */
const user = '1000:1000'

/**
 * Puts the framework's image together: files that every program looks for, the supervisor's layer, whose runtime the roles
 * share and which a node that runs any service has already, the bundle, and that layer once more as a file, for tarsimage
 * to put into images. It has no shell and writes nowhere.
 */
export async function writeFrameworkImage(destination: ImageLocation, options: FrameworkImageOptions): Promise<ComposedImage> {
  const { layers, config } = await frameworkImage(options)
  const { access, signal } = options
  return composeImage({ layers, config, destination, ...(access === undefined ? {} : { access }), ...(signal === undefined ? {} : { signal }) })
}

/** What the image is made of. */
async function frameworkImage({ cacheDir, signal }: FrameworkImageOptions): Promise<Pick<ComposeOptions, 'layers'> & { readonly config: NonNullable<ComposeOptions['config']> }> {
  await mkdir(cacheDir, { recursive: true })
  const { root } = await stageBase(staticbase, { cacheDir, ...(signal === undefined ? {} : { signal }) })
  const { layer } = await supervisorLayer(cacheDir, signal)
  const layers = [
    { ...(await keptLayer(root)), createdBy: staticbase.name },
    { ...layer, createdBy: 'tarsnode' },
    { ...(await programLayer(cacheDir)), createdBy: 'framework' },
    { ...(await supervisorAsFile(cacheDir, layer)), createdBy: 'supervisor for tarsimage' },
  ]
  const config = {
    User: user,
    Entrypoint: [program],
    Env: ['PATH=/usr/bin', 'LANG=C.UTF-8', `TARSIMAGE_SUPERVISOR=${supervisorFile}`],
    Labels: { 'org.opencontainers.image.title': 'tarsk8s' },
  }
  return { layers, config }
}

/** The command `tarsk8s` and the bundle it starts. */
async function programLayer(cacheDir: string): Promise<LayerFile> {
  const arch = process.arch as Architecture
  const command = [`${SUPERVISOR_DIR}/lib/${loaderName(arch)}`, '--library-path', `${SUPERVISOR_DIR}/lib`, `${SUPERVISOR_DIR}/bin/node`, '--disable-warning=ExperimentalWarning', `${folder}/${bundleEntry}`]
  const bundle = (await bundleFramework()).map(({ name, code }) => ({ path: `${folder}/${name}`, content: code }))
  const files: LayerSource[] = [{ path: program, mode: 0o755, content: launcher(arch, command) }, ...bundle]
  return keptByContent(cacheDir, 'framework', files)
}

/** The supervisor's layer and its description (TARSIMAGE_SUPERVISOR), which names it by its place beside it. */
function supervisorAsFile(cacheDir: string, layer: SupervisorLayer): Promise<LayerFile> {
  const { path: source, ...description } = layer
  const path = 'layer.tar.gz'
  return keptByContent(cacheDir, 'framework-supervisor', [
    { path: supervisorFile, content: JSON.stringify({ path, ...description }) },
    { path: join(supervisorFile, '..', path), source },
  ])
}

/** Makes a layer once a content. Files that come by path are known by what is said of them in the others. */
async function keptByContent(cacheDir: string, name: string, files: readonly LayerSource[]): Promise<LayerFile> {
  const hash = createHash('sha256').update(process.version)
  for (const { path, mode, content } of files) hash.update(JSON.stringify([path, mode])).update(content ?? '')
  const place = join(cacheDir, `${name}-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(`${place}.json`)) return JSON.parse(await readFile(`${place}.json`, 'utf8')) as LayerFile
  const layer = await layerFromFiles(files, `${place}.tar.gz`)
  await writeAtomic(`${place}.json`, JSON.stringify(layer), cacheDir)
  return layer
}
