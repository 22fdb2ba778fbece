/** Who may ask, beside the roles that say that they do: pods of services, who operates the framework, who gathers metrics, or anybody. */
export type Audience = 'services' | 'operators' | 'metrics' | 'anyone'

/** A TCP port of a role. */
export interface Served {
  /** Absent for a servant or port of the role's TServer, which says it, and for one that is served only when the environment names it. */
  readonly port?: number
  /** Variables of the role's environment that name another port; the first that is set counts. */
  readonly env?: readonly string[]
  readonly from: readonly Audience[]
}

/**
 * Whom a role connects to: a port of another one, the API server, the tarsnode of any pod, the agent of any node, the document
 * store, an address that the environment names, or anywhere.
 */
export type Callee =
  | { readonly role: string; readonly port: string }
  | { readonly to: 'api' | 'tarsnode' | 'agent' | 'elastic' | 'anywhere' }
  | { readonly env: string }

/** What a role serves, by the names of its ports, and whom it calls. The chart makes its NetworkPolicy of this, so it is all that passes. */
export interface Network {
  readonly serves?: Readonly<Record<string, Served>>
  readonly calls?: readonly Callee[]
}
