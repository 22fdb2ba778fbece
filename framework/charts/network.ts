// NetworkPolicies from what roles declare: what a port admits, and what a role may connect to. Pure.
import { reservedPorts } from '#api/names.ts'
import type { TServer } from '#api/types.ts'
import type { Audience, Callee, Network } from '#kube/network.ts'

/** A port as the chart finds it: the first of the variables that the role's environment has, else the number; neither: it is not served. */
interface ChartPort {
  /** Whose environment. */
  readonly role: string
  readonly env: readonly string[]
  readonly port?: number
}

interface Admitted extends ChartPort {
  readonly audiences: readonly Audience[]
  /** ServerNames of roles that say that they call it. */
  readonly servers: readonly string[]
}

type Connected = ({ readonly to: 'role'; readonly server: string } & ChartPort) | { readonly to: 'url'; readonly env: string } | Exclude<Callee, { role: string } | { env: string }>

/** What the chart's template makes a policy of, for each role. */
export interface ChartNetwork {
  readonly server: string
  readonly serves: readonly Admitted[]
  readonly calls: readonly Connected[]
}

/** What templates/network.yaml reads: the roles, and who may tell a tarsnode what to do. */
export interface ChartNetworks {
  readonly roles: Readonly<Record<string, ChartNetwork>>
  readonly tarsnode: { readonly port: number; readonly servers: readonly string[] }
}

/**
 * @param networks what each role declares
 * @param servers the TServers of the roles, which name their servants' ports
 * @throws Error for a call to a port that nobody declares
 */
export function chartNetworks(networks: Readonly<Record<string, Network>>, servers: Readonly<Record<string, TServer>>): ChartNetworks {
  const nameOf = (role: string): string => servers[role]?.spec.server ?? role
  const portOf = (role: string, name: string): ChartPort => {
    const served = networks[role]?.serves?.[name]
    if (served === undefined) throw new Error(`${role} declares no port ${name}`)
    const port = served.port ?? numberIn(servers[role], name)
    return { role, env: served.env ?? [], ...(port === undefined ? {} : { port }) }
  }
  const callersOf = (matches: (callee: Callee) => boolean): string[] =>
    Object.entries(networks).filter(([, { calls = [] }]) => calls.some(matches)).map(([role]) => nameOf(role))
  const roles = Object.entries(networks).map(([role, { serves = {}, calls = [] }]) => {
    const admitted = Object.entries(serves).map(([name, { from }]) => {
      return { ...portOf(role, name), audiences: from, servers: callersOf((callee) => 'role' in callee && callee.role === role && callee.port === name) }
    })
    const connected = calls.map((callee): Connected => {
      if ('role' in callee) return { to: 'role', server: nameOf(callee.role), ...portOf(callee.role, callee.port) }
      return 'env' in callee ? { to: 'url', env: callee.env } : callee
    })
    return [role, { server: nameOf(role), serves: admitted, calls: connected }] as const
  })
  return { roles: Object.fromEntries(roles), tarsnode: { port: reservedPorts.node, servers: callersOf((callee) => 'to' in callee && callee.to === 'tarsnode') } }
}

function numberIn(server: TServer | undefined, name: string): number | undefined {
  const { tars, normal } = server?.spec ?? {}
  return [...(tars?.servants ?? []), ...(normal?.ports ?? [])].find((port) => port.name === name)?.port
}
