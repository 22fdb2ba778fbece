/** What a role may do to one kind of object, in the words of rbac.authorization.k8s.io/v1 (PolicyRule). */
export interface Rule {
  /** `''` is the core group. */
  readonly apiGroups: readonly [string]
  /** Plurals, e.g. `pods`, `pods/status`. */
  readonly resources: readonly string[]
  readonly verbs: readonly Verb[]
  /** Only objects of these names. */
  readonly resourceNames?: readonly string[]
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'

/** What a role needs of the API server. The chart makes its ServiceAccount and RBAC of this, so it is all that it gets. */
export interface Access {
  /** In its own namespace. */
  readonly namespaced?: readonly Rule[]
  /** In every namespace, and for what has none. */
  readonly cluster?: readonly Rule[]
}

/** What list-watch read models need. */
export const follow: readonly Verb[] = ['get', 'list', 'watch']

/** One kind, or several of one group, and what may be done to them. */
export function rule(group: string, resources: string | readonly string[], verbs: readonly Verb[]): Rule {
  return { apiGroups: [group], resources: typeof resources === 'string' ? [resources] : resources, verbs }
}
