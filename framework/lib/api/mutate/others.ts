import { labels } from '../names.ts'
import { withLabels } from '../meta.ts'
import type { TImage, TTemplate, TTree } from '../types.ts'

/** The label Parent, on templates that are no root (control-plane spec B.4). */
export function mutateTemplate(template: TTemplate): TTemplate {
  const { name } = template.metadata
  const { parent } = template.spec
  const value = parent === name || parent === '' || parent.length > 63 ? undefined : parent
  return { ...template, metadata: withLabels(template.metadata, { [labels.parent]: value }) }
}

/** References to a business that is not there are cleared, so that removing or renaming one never fails (control-plane spec B.5). */
export function mutateTree(tree: TTree): TTree {
  const known = new Set(tree.businesses.map(({ name }) => name))
  return { ...tree, apps: tree.apps.map((app) => (known.has(app.businessRef) ? app : { ...app, businessRef: '' })) }
}

/**
 * Labels by type, each release id once (the first counts), every release dated (control-plane spec B.7).
 * @param now RFC 3339
 */
export function mutateImage(image: TImage, now: string): TImage {
  const stale = Object.keys(image.metadata.labels ?? {}).filter((label) => label.startsWith(labels.supportedPrefix))
  const supported = image.imageType === 'base' ? (image.supportedType ?? []) : []
  const metadata = withLabels(image.metadata, {
    ...Object.fromEntries(stale.map((label) => [label, undefined])),
    ...Object.fromEntries(supported.map((type) => [labels.supportedPrefix + type, type])),
    [labels.imageType]: image.imageType,
  })
  const { releases } = image
  if (releases === undefined) return { ...image, metadata }
  const first = releases.filter(({ id }, index) => releases.findIndex((other) => other.id === id) === index)
  return { ...image, metadata, releases: first.map((release) => ({ ...release, createTime: release.createTime ?? now })) }
}
