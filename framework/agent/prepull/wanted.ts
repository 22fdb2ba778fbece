import { abilityLabel, labels, nodeLabel } from '#api/names.ts'
import type { TImage } from '#api/types.ts'
import type { AnyObject } from '#kube/types.ts'

/** Taints of a node under pressure, cordoned or going: it gets no images. */
const systemTaint = 'node.kubernetes.io/'

/** True when the node may be given images that no pod asked for. */
export function takesImages({ spec, status }: AnyObject): boolean {
  const taints = (spec?.taints ?? []) as readonly { readonly key: string }[]
  const conditions = (status?.conditions ?? []) as readonly { readonly type: string; readonly status: string }[]
  return spec?.unschedulable !== true && !taints.some(({ key }) => key.startsWith(systemTaint)) && !conditions.some((one) => one.type === 'DiskPressure' && one.status === 'True')
}

/**
 * Images of a TImage that pods on this node may soon ask for: releases made lately, of a namespace that the node serves, and, where
 * the node is labelled with abilities in it, of a server that it is labelled for.
 */
export function wantedImages(image: Pick<TImage, 'imageType' | 'metadata' | 'releases'>, nodeLabels: Readonly<Record<string, string>>, sinceMs: number): string[] {
  const { namespace = '', labels: given = {} } = image.metadata
  const { [labels.app]: app = '', [labels.server]: server = '' } = given
  const abilities = Object.keys(nodeLabels).filter((label) => label.startsWith(abilityLabel(namespace, '')))
  const able = abilities.length === 0 || abilityLabel(namespace, app) in nodeLabels || abilityLabel(namespace, app, server) in nodeLabels
  if (image.imageType !== 'server' || !able || !(nodeLabel(namespace) in nodeLabels)) return []
  return (image.releases ?? []).filter(({ createTime }) => createTime !== undefined && Date.parse(createTime) >= sinceMs).map((release) => release.image)
}
