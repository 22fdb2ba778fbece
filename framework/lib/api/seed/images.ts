import { hubApiVersion } from '../names.ts'
import { mutateImage } from '../mutate/others.ts'
import type { TImage, TImageRelease } from '../types.ts'

/** Base images that a framework offers, by their TImages; base-images/ has the recipes. */
export const baseImages: readonly { readonly name: string; readonly supportedTypes: NonNullable<TImage['supportedType']> }[] = [
  { name: 'nodejsbase', supportedTypes: ['nodejs'] },
  { name: 'nodejs22base', supportedTypes: ['nodejs'] },
  { name: 'nodejs24base', supportedTypes: ['nodejs'] },
  { name: 'cppbase', supportedTypes: ['cpp', 'go', 'nodejs-pkg'] },
  { name: 'gobase', supportedTypes: ['go'] },
  { name: 'javabase', supportedTypes: ['java-jar', 'java-war'] },
  { name: 'java8base', supportedTypes: ['java-jar', 'java-war'] },
  { name: 'java11base', supportedTypes: ['java-jar', 'java-war'] },
  { name: 'java21base', supportedTypes: ['java-jar', 'java-war'] },
  { name: 'php8base', supportedTypes: ['php'] },
  { name: 'pythonbase', supportedTypes: ['python'] },
  { name: 'staticbase', supportedTypes: ['cpp', 'go'] },
]

export interface SeedImagesOptions {
  readonly namespace: string
  /** Registry and path of the images, e.g. `registry.example/tars`. */
  readonly images: string
  readonly tag: string
  readonly secret?: string | undefined
  /** Names of {@link baseImages} to offer. */
  readonly bases: readonly string[]
  /** RFC 3339 */
  readonly time: string
}

/** Those that are offered when nothing else is said: the usual one of each language, and one for executables that need nothing. */
export const usualBases: readonly string[] = ['cppbase', 'gobase', 'javabase', 'nodejsbase', 'php8base', 'pythonbase', 'staticbase']

/** TImages of the node image and of base images, each with the release of one version (control-plane spec D.2). */
export function builtinImages({ namespace, images, tag, secret, bases, time }: SeedImagesOptions): TImage[] {
  const image = (name: string, repository: string, fields: Pick<TImage, 'imageType' | 'supportedType'>): TImage => {
    const release: TImageRelease = { id: `builtin-${name}-${tag}`.slice(0, 63), image: `${images}/tars.${repository}:${tag}`, createPerson: 'tars', ...(secret === undefined || secret === '' ? {} : { secret }) }
    return mutateImage({ apiVersion: hubApiVersion, kind: 'TImage', metadata: { name, namespace }, ...fields, releases: [release] } as TImage, time)
  }
  return [
    image('node', 'tarsnode', { imageType: 'node' }),
    ...baseImages.filter(({ name }) => bases.includes(name)).map(({ name, supportedTypes }) => image(name, name, { imageType: 'base', supportedType: supportedTypes })),
  ]
}
