import type { Catalog } from '../catalog.ts'
import type { Definition } from '../definition.ts'

// Discovery documents (Kubernetes API Concepts, "API discovery", unaggregated).

/** What kubectl compares itself with; the surface follows this release. */
export const serverVersion = Object.freeze({
  major: '1', minor: '33', gitVersion: 'v1.33.4', gitCommit: '', gitTreeState: 'clean', buildDate: '1970-01-01T00:00:00Z', goVersion: 'none', compiler: 'none', platform: 'linux/amd64',
})

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

interface Reviewed {
  readonly group: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
}

/** Questions that are answered and not kept. */
export const reviews: readonly Reviewed[] = [
  { group: 'authorization.k8s.io', plural: 'selfsubjectaccessreviews', kind: 'SelfSubjectAccessReview', namespaced: false },
  { group: 'authorization.k8s.io', plural: 'subjectaccessreviews', kind: 'SubjectAccessReview', namespaced: false },
  { group: 'authorization.k8s.io', plural: 'selfsubjectrulesreviews', kind: 'SelfSubjectRulesReview', namespaced: false },
  { group: 'authorization.k8s.io', plural: 'localsubjectaccessreviews', kind: 'LocalSubjectAccessReview', namespaced: true },
  { group: 'authentication.k8s.io', plural: 'selfsubjectreviews', kind: 'SelfSubjectReview', namespaced: false },
  { group: 'authentication.k8s.io', plural: 'tokenreviews', kind: 'TokenReview', namespaced: false },
]

export const apiVersions = { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] as unknown[] }

function groupDocument(name: string, versions: readonly string[]): object {
  const entries = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }))
  return { kind: 'APIGroup', apiVersion: 'v1', name, versions: entries, preferredVersion: entries[0] }
}

function allGroups(catalog: Catalog): { readonly name: string; readonly versions: readonly string[] }[] {
  const review = [...new Set(reviews.map(({ group }) => group))].map((name) => ({ name, versions: ['v1'] }))
  return [...catalog.groups(), ...review]
}

/** GET /apis */
export function groupList(catalog: Catalog): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: allGroups(catalog).map(({ name, versions }) => groupDocument(name, versions)) }
}

/** GET /apis/{group}; undefined when there is none. */
export function oneGroup(catalog: Catalog, name: string): object | undefined {
  const found = allGroups(catalog).find((group) => group.name === name)
  return found && groupDocument(found.name, found.versions)
}

/** GET /api/v1 and /apis/{group}/{version}; undefined when it is not served. */
export function resourceList(catalog: Catalog, group: string, version: string): object | undefined {
  const kept = catalog.inVersion(group, version)
  const asked = version === 'v1' ? reviews.filter((review) => review.group === group) : []
  if (kept.length + asked.length === 0) return undefined
  return {
    kind: 'APIResourceList', apiVersion: 'v1', groupVersion: group === '' ? version : `${group}/${version}`,
    resources: [...kept.flatMap(resourcesOf), ...asked.map(({ plural, kind, namespaced }) => ({ name: plural, singularName: kind.toLowerCase(), namespaced, kind, verbs: ['create'] }))],
  }
}

function resourcesOf(definition: Definition): object[] {
  const { plural, singular, kind, namespaced, shortNames, categories, group } = definition
  const subresource = (name: string, rest: object = {}) => ({ name: `${plural}/${name}`, singularName: '', namespaced, kind, verbs: ['get', 'patch', 'update'], ...rest })
  return [
    { name: plural, singularName: singular, namespaced, kind, verbs, ...(shortNames.length === 0 ? {} : { shortNames }), ...(categories.length === 0 ? {} : { categories }) },
    ...(definition.status ? [subresource('status')] : []),
    ...(definition.scale === undefined ? [] : [subresource('scale', { group: 'autoscaling', version: 'v1', kind: 'Scale' })]),
    ...(group === '' && plural === 'pods' ? [subresource('log', { verbs: ['get'] })] : []),
    ...(group === '' && plural === 'namespaces' ? [subresource('finalize', { verbs: ['update'] })] : []),
  ]
}
