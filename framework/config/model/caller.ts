// Which pod of a server is asking (framework-services 0.2, 2.3). Pure.
import { serverObjectName } from '#api/names.ts'
import { longestDnsName } from '#base/address.ts'

/** Finds a pod's name by its address. */
export type PodByAddress = (address: string) => string | undefined

export interface Asker {
  readonly app: string
  readonly server: string
  /** A pod's name, its DNS name below any domain, or its address. */
  readonly host: string
  /** Empty when it is in none. */
  readonly set: string
}

/**
 * The ordinal of the pod that `host` names, as the text TConfig.podSeq has; undefined when it names none of this server.
 * Pods of further TServers of the server count from 0, too: their numbers mean something only within a set.
 */
export function podSeqOf({ app, server, host, set }: Asker, podByAddress: PodByAddress): string | undefined {
  if (host === '') return undefined
  const service = serverObjectName(app, server)
  const [pod = '', under] = host.slice(0, longestDnsName).toLowerCase().split('.', 2)
  return ordinal(service, pod, under, set !== '') ?? ordinal(service, podByAddress(host) ?? '', undefined, set !== '')
}

const plain = /^-(0|[1-9]\d?)$/
const ofVariant = /^(-[a-z](?:[-0-9a-z]*[0-9a-z])?)-(0|[1-9]\d?)$/

function ordinal(service: string, pod: string, under: string | undefined, variants: boolean): string | undefined {
  if (!pod.startsWith(`${service}-`)) return undefined
  const rest = pod.slice(service.length)
  if (under === undefined || under === service) {
    const found = plain.exec(rest)?.[1]
    if (found !== undefined) return found
  }
  const [, variant = '', number] = (variants ? ofVariant.exec(rest) : null) ?? []
  return under === undefined || under === service + variant ? number : undefined
}
