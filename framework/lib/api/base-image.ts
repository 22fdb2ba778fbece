import { labels } from './names.ts'
import type { TImage, TImageRelease } from './types.ts'

/** The usual base of a server type: its TImage, and what `tarsk8s base` makes it by. */
const usual: Readonly<Record<string, { readonly image: string; readonly made: string }>> = {
  cpp: { image: 'cppbase', made: 'cpp' },
  go: { image: 'gobase', made: 'go' },
  'nodejs-pkg': { image: 'cppbase', made: 'cpp' },
  nodejs: { image: 'nodejsbase', made: 'nodejs' },
  'java-jar': { image: 'javabase', made: 'java' },
  'java-war': { image: 'javabase', made: 'java' },
  php: { image: 'php8base', made: 'php' },
  python: { image: 'pythonbase', made: 'python' },
}

/** What `tarsk8s base` has to be told to make the usual base of a type; undefined for a type that nobody knows. */
export function baseMadeBy(serverType: string): string | undefined {
  return usual[serverType]?.made
}

/** Selector of the TImages that can carry a type. */
export function baseSelector(serverType: string): string {
  return `${labels.imageType}=base,${labels.supportedPrefix}${serverType}`
}

/** The release of a TImage that counts when none is named: its default, else its newest, which is the first. */
export function currentRelease({ releases = [], default: id }: TImage): TImageRelease | undefined {
  return releases.find((release) => release.id === id) ?? releases[0]
}

/**
 * The image that a type stands on when none is named. Of several bases the usual one counts (nodejsbase, and not nodejs22base, which is for
 * those who ask); without it, the one with the newest release, as somebody made that for a reason.
 */
export function usualBase(images: readonly TImage[], serverType: string): TImageRelease | undefined {
  const offered = images.filter(({ imageType, supportedType }) => imageType === 'base' && supportedType?.some((type) => type === serverType) === true)
    .flatMap((image) => { const release = currentRelease(image); return release === undefined ? [] : [{ name: image.metadata.name, release }] })
  const age = (time = ''): number => Date.parse(time) || 0
  const [newest] = offered.toSorted((one, other) => age(other.release.createTime) - age(one.release.createTime) || (one.name < other.name ? -1 : 1))
  return (offered.find(({ name }) => name === usual[serverType]?.image) ?? newest)?.release
}
