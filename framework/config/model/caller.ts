// Which pod of a server is asking (framework-services 0.2, 2.3). Pure.
import { serverObjectName } from '#api/names.ts'

/** Finds a pod's name by its address. */
export type PodByAddress = (address: string) => string | undefined

/**
 * The ordinal of the pod that `host` names, as the text TConfig.podSeq has; undefined when it names none of this server.
 * @param host a pod's name, its DNS name below any domain, or its address
 */
export function podSeqOf(app: string, server: string, host: string, podByAddress: PodByAddress): string | undefined {
  if (host === '') return undefined
  const service = serverObjectName(app, server)
  const [pod = '', under] = host.toLowerCase().split('.')
  return ordinal(service, pod, under) ?? ordinal(service, podByAddress(host) ?? '', undefined)
}

function ordinal(service: string, pod: string, under: string | undefined): string | undefined {
  if (!pod.startsWith(`${service}-`) || (under !== undefined && under !== service)) return undefined
  return /^(0|[1-9]\d?)$/.exec(pod.slice(service.length + 1))?.[0]
}
