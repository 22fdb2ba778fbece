// Puts base images into the cluster's registry and records them as TImages, once a content.
import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { hubApiVersion } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { KubeClient } from '#kube/client.ts'
import type { BaseChoice } from '../../base-images/catalog.ts'
import { stagedEntries } from '../../base-images/layer.ts'
import type { BaseRecipe } from '../../base-images/recipe.ts'
import { stageBase, stageDebug, type Staged } from '../../base-images/rootfs.ts'
import { composeImage, type ComposedImage, type ComposeOptions } from '../../imagebuilder/compose.ts'
import { layerFromFiles, type LayerFile } from '../../imagebuilder/layer.ts'
import { parseLocation, type ImageLocation } from '../../imagebuilder/oci/location.ts'
import type { RegistryAccess } from '../../imagebuilder/oci/session.ts'
import { launcherPath, layoutAt } from '../../node/layout.ts'
import { writeAtomic } from './oci/files.ts'

export interface BaseImageOptions {
  /** Staged roots and layers are kept here. */
  readonly cacheDir: string
  /** The runtime for Node services. */
  readonly nodeBinary: string
  /** With a layer of debug tools. */
  readonly debug?: boolean
  /** Of the newest packages, whatever was fetched before. */
  readonly fresh?: boolean
  /** Of the registry, where that is the destination. */
  readonly access?: RegistryAccess
  readonly signal?: AbortSignal
}

/** Makes the layer of a staged folder once and keeps it beside it. */
export async function keptLayer(root: string): Promise<LayerFile> {
  const description = `${root}.layer.json`
  const kept = await readFile(description, 'utf8').catch(() => undefined)
  if (kept !== undefined) return JSON.parse(kept) as LayerFile
  const layer = await layerFromFiles(await stagedEntries(root), `${root}.tar.gz`)
  await writeAtomic(description, JSON.stringify(layer), dirname(root))
  return layer
}

/**
 * Builds a base image into the cluster's registry and records it; the debug variant beside it when that is asked for.
 * @returns its reference, that of the variant asked for
 */
export async function publishBase(client: KubeClient, namespace: string, base: BaseChoice, options: BaseImageOptions & { readonly registry: string }): Promise<string> {
  const { recipe, layers, config } = await buildBase(base, options)
  const [plain, ...tools] = layers
  // The tag follows the content, so that a new base is a new image and an old one stays what it was.
  const name = `${options.registry}/tars.${recipe.name}:${createHash('sha256').update(JSON.stringify([plain.diffId, config])).digest('hex').slice(0, 12)}`
  const images = [(await compose([plain], config, parseLocation(name), options)).image]
  if (tools.length > 0) images.push((await compose(layers, config, parseLocation(`${name}-debug`), options)).image)
  await record(client, namespace, recipe, images)
  return images.at(-1) ?? name
}

/** Builds a base image, or its debug variant, to any place. */
export async function writeBase(base: BaseChoice, destination: ImageLocation, options: BaseImageOptions): Promise<ComposedImage> {
  const { layers, config } = await buildBase(base, options)
  return compose(layers, config, destination, options)
}

type Layers = readonly [LayerFile, ...LayerFile[]]
type Config = NonNullable<ComposeOptions['config']>

function compose(layers: Layers, config: Config, destination: ImageLocation, { access, signal }: BaseImageOptions): Promise<ComposedImage> {
  return composeImage({ layers, config, destination, ...(access === undefined ? {} : { access }), ...(signal === undefined ? {} : { signal }) })
}

/** Of images that others make FROM a base, which have no supervisor: that of a node image which was copied into the pod starts. K8SFramework's bases have such a command, too. */
export const baseCommand: readonly string[] = [launcherPath(layoutAt().workDir), 'node']

async function buildBase(base: BaseChoice, options: BaseImageOptions): Promise<{ readonly recipe: BaseRecipe; readonly layers: Layers; readonly config: Config }> {
  await mkdir(options.cacheDir, { recursive: true })
  const recipe = await base.recipe(options)
  const staged = await stageBase(recipe, options)
  const tools = options.debug === true ? [await layerOf(await stageDebug(recipe, staged, options), `${recipe.name} debug tools`)] : []
  const config = {
    Env: Object.entries(recipe.env).map(([name, value]) => `${name}=${value}`),
    WorkingDir: '/usr/local/server/bin',
    Cmd: baseCommand,
    Labels: { 'org.opencontainers.image.title': recipe.name, 'tars.io/System': await systemOf(staged) },
  }
  return { recipe, layers: [await layerOf(staged, recipe.name), ...tools], config }
}

/** The release that it is made of, as it names itself, e.g. `Debian GNU/Linux 12 (bookworm)`. */
async function systemOf({ root }: Staged): Promise<string> {
  const release = await readFile(join(root, 'usr/lib/os-release'), 'utf8')
  return /^PRETTY_NAME="(.*)"$/m.exec(release)?.[1] ?? 'unknown'
}

const layerOf = async ({ root }: Staged, createdBy: string): Promise<LayerFile & { createdBy: string }> => ({ ...(await keptLayer(root)), createdBy })

/** The TImage by which releases name the base image (control-plane spec A.7, D.2). */
async function record(client: KubeClient, namespace: string, recipe: BaseRecipe, images: readonly string[]): Promise<void> {
  const timage = {
    apiVersion: hubApiVersion, kind: 'TImage', metadata: { name: recipe.name, namespace },
    imageType: 'base', supportedType: [...recipe.supportedTypes],
    releases: images.map((image) => ({ id: `builtin-${recipe.name}-${image.slice(image.lastIndexOf(':') + 1)}`, image })),
  }
  await client.patch(resources.timages as never, { namespace, name: recipe.name }, timage, { type: 'apply', fieldManager: 'tarsk8s-local', force: true })
}
