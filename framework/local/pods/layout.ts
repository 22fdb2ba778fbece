import { join } from 'node:path'
import { Failure } from '#base/errors.ts'
import type { Pod } from './kinds.ts'

/** Where everything of the runner is, all of it below its data folder. */
export interface Layout {
  readonly root: string
  readonly images: string
  readonly hostsFile: string
  readonly resolvConf: string
  readonly addresses: string
  readonly pods: string
  readonly logs: string
  readonly volumes: string
  podFolder(pod: Pod): string
  containerFolder(pod: Pod, container: string): string
  podLogs(pod: Pod): string
  /** The log of a container's run number `run`. */
  logFile(pod: Pod, container: string, run: number): string
  claimFolder(namespace: string, claim: string): string
}

export function layoutOf(root: string): Layout {
  const pods = join(root, 'pods')
  const logs = join(root, 'logs')
  const podFolder = (pod: Pod): string => join(pods, part(pod.metadata.uid ?? ''))
  const podLogs = (pod: Pod): string => join(logs, `${part(pod.metadata.namespace ?? 'default')}_${part(pod.metadata.name)}_${part(pod.metadata.uid ?? '')}`)
  const layout: Layout = {
    root, pods, logs, podFolder, podLogs,
    images: join(root, 'images'),
    hostsFile: join(root, 'hosts'),
    resolvConf: join(root, 'resolv.conf'),
    addresses: join(root, 'addresses.json'),
    volumes: join(root, 'volumes'),
    containerFolder: (pod, container) => join(podFolder(pod), 'containers', part(container)),
    logFile: (pod, container, run) => join(podLogs(pod), part(container), `${run}.log`),
    claimFolder: (namespace, claim) => join(root, 'volumes', part(namespace), part(claim)),
  }
  return Object.freeze(layout)
}

/** Names come from the API server, which checks them; they become paths here, so they are checked again. */
function part(name: string): string {
  if (!/^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$/.test(name)) throw new Failure('POD_NAME_INVALID', `${JSON.stringify(name)} cannot be part of a path`, { remedy: 'use names of letters, digits, "-" and "."' })
  return name
}
