// Puts base images into the cluster's registry and records them as TImages, once a content.
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { hubApiVersion } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { KubeClient } from '#kube/client.ts'
import { Failure } from '#base/errors.ts'
import { cppbase } from '../../base-images/cpp/recipe.ts'
import { javabase } from '../../base-images/java/recipe.ts'
import { stagedEntries } from '../../base-images/layer.ts'
import { nodejsbase } from '../../base-images/nodejs/recipe.ts'
import type { BaseRecipe } from '../../base-images/recipe.ts'
import { stageBase } from '../../base-images/rootfs.ts'
import { composeImage } from '../../imagebuilder/compose.ts'
import { layerFromFiles, type LayerFile } from '../../imagebuilder/layer.ts'
import { parseLocation, type ImageLocation } from '../../imagebuilder/oci/location.ts'

/** Languages with a base image. */
export const baseLanguages = ['nodejs', 'cpp', 'java'] as const
export type BaseLanguage = (typeof baseLanguages)[number]

export interface BaseImageOptions {
  /** Staged roots and layers are kept here. */
  readonly cacheDir: string
  /** The runtime for Node services. */
  readonly nodeBinary: string
  readonly signal?: AbortSignal
}

const recipes: Readonly<Record<BaseLanguage, (nodeBinary: string) => BaseRecipe | Promise<BaseRecipe>>> = {
  nodejs: nodejsbase,
  cpp: () => cppbase,
  java: () => javabase,
}

/** A name that must be one of {@link baseLanguages}. @throws Failure BASE_LANGUAGE */
export function baseLanguage(name: string): BaseLanguage {
  const found = baseLanguages.find((language) => language === name)
  if (found !== undefined) return found
  throw new Failure('BASE_LANGUAGE', `there is no base image for "${name}"`, { remedy: `choose one of ${baseLanguages.join(', ')}` })
}

/** Makes the layer of a staged folder once and keeps it beside it. */
export async function keptLayer(root: string): Promise<LayerFile> {
  const description = `${root}.layer.json`
  const kept = await readFile(description, 'utf8').catch(() => undefined)
  if (kept !== undefined) return JSON.parse(kept) as LayerFile
  const layer = await layerFromFiles(await stagedEntries(root), `${root}.tar.gz`)
  await writeFile(description, JSON.stringify(layer))
  return layer
}

/** Builds a language's base image into the cluster's registry and records it. @returns its reference */
export async function publishBase(client: KubeClient, namespace: string, language: BaseLanguage, options: BaseImageOptions & { readonly registry: string }): Promise<string> {
  const { recipe, layer, config } = await buildBase(language, options)
  // The tag follows the content, so that a new base is a new image and an old one stays what it was.
  const tag = createHash('sha256').update(JSON.stringify([layer.diffId, config])).digest('hex').slice(0, 12)
  const { image } = await composeImage({ layers: [layer], config, destination: parseLocation(`${options.registry}/tars.${recipe.name}:${tag}`), ...signalOf(options) })
  await record(client, namespace, recipe, image)
  return image
}

/** Builds a language's base image to any place. @returns its name there */
export async function writeBase(language: BaseLanguage, destination: ImageLocation, options: BaseImageOptions): Promise<string> {
  const { layer, config } = await buildBase(language, options)
  const { image } = await composeImage({ layers: [layer], config, destination, ...signalOf(options) })
  return image
}

const signalOf = ({ signal }: BaseImageOptions): { signal?: AbortSignal } => (signal === undefined ? {} : { signal })

interface BuiltBase {
  readonly recipe: BaseRecipe
  readonly layer: LayerFile & { readonly createdBy: string }
  readonly config: { readonly Env: readonly string[]; readonly WorkingDir: string }
}

async function buildBase(language: BaseLanguage, options: BaseImageOptions): Promise<BuiltBase> {
  await mkdir(options.cacheDir, { recursive: true })
  const recipe = await recipes[language](options.nodeBinary)
  const layer = { ...(await keptLayer(await stageBase(recipe, options))), createdBy: recipe.name }
  return { recipe, layer, config: { Env: Object.entries(recipe.env).map(([name, value]) => `${name}=${value}`), WorkingDir: '/usr/local/server/bin' } }
}

/** The TImage by which releases name the base image (control-plane spec A.7, D.2). */
async function record(client: KubeClient, namespace: string, recipe: BaseRecipe, image: string): Promise<void> {
  const id = image.slice(image.lastIndexOf(':') + 1)
  const timage = {
    apiVersion: hubApiVersion, kind: 'TImage', metadata: { name: recipe.name, namespace },
    imageType: 'base', supportedType: [...recipe.supportedTypes],
    releases: [{ id: `builtin-${recipe.name}-${id}`, image }],
  }
  await client.patch(resources.timages as never, { namespace, name: recipe.name }, timage, { type: 'apply', fieldManager: 'tarsk8s-local', force: true })
}
