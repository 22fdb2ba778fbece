import { labels, names } from '#api/names.ts'
import type { Claim, Volume } from './kinds.ts'

/** Classes whose claims are served; the second is that of K8SFramework up to 1.1. */
export const localClasses: readonly string[] = [names.storageClass, 't-storage-class']

/** Where a local volume lies below the base folder: three names, one below the other. One server has a volume once on a node. */
export interface Place {
  readonly namespace: string
  /** `<App>.<Server>` */
  readonly server: string
  readonly volume: string
}

/** Of a claim of ours; undefined when its labels do not say whose it is. */
export function placeOfClaim({ metadata: { namespace = '', labels: given = {} } }: Claim): Place | undefined {
  const { [labels.app]: app = '', [labels.server]: server = '', [labels.localVolume]: volume = '' } = given
  return app === '' || server === '' || volume === '' ? undefined : { namespace, server: `${app}.${server}`, volume }
}

/** The path on the node. */
export function pathOf(base: string, { namespace, server, volume }: Place): string {
  return `${base}/${namespace}/${server}/${volume}`
}

/** Of a volume; undefined when its path is none that a claim can have, so that nothing but a local volume is ever removed. */
export function placeOfVolume(base: string, { spec: { local } }: Volume): Place | undefined {
  if (local?.path.startsWith(`${base}/`) !== true) return undefined
  const [namespace = '', server = '', volume = '', ...more] = local.path.slice(base.length + 1).split('/')
  return more.length === 0 && [namespace, server, volume].every((name) => /^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$/.test(name)) ? { namespace, server, volume } : undefined
}

/** K8SFramework's name of the volume, so that its volumes are found again: a node has one a place and class. */
export function volumeName({ namespace, server, volume }: Place, nodeName: string, className: string): string {
  return [namespace, volume, ...server.toLowerCase().split('.'), fnv32a(nodeName + className).toString(16)].join('-')
}

/** FNV-1a of 32 bits. */
export function fnv32a(text: string): number {
  return Buffer.from(text).reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193) >>> 0, 0x811c9dc5)
}
