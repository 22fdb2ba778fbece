import { createConnection } from 'node:net'
import type { Logger } from '#base/log.ts'
import type { RegistryAddress, Settings } from '../env.ts'
import type { View } from '../service/supervisor.ts'
import { DescriptorFile } from './descriptor-file.ts'
import type { RegistryLink } from './link.ts'

/** How long a launch that has a kept descriptor waits for the registry to take a connection, milliseconds. */
const REACH_MS = 2_000

/** The link, and the moment from which its code may be loaded. */
export interface LateRegistry extends RegistryLink {
  /** Loads the Tars client, unless that was needed already. */
  load(): void
}

/**
 * The link to a registry whose code is loaded when it is needed: evaluating the Tars client costs as much as starting
 * the runtime does, and a service whose registry is away, or which has none to wait for, shall not wait for that.
 */
export function lateRegistry(settings: Settings, address: RegistryAddress, log: Logger): LateRegistry {
  const file = new DescriptorFile(settings.paths.descriptorFile, log)
  const alarms: string[] = []
  let newest: View | undefined
  let link: RegistryLink | undefined
  let loading: Promise<RegistryLink> | undefined

  const loaded = (): Promise<RegistryLink> =>
    (loading ??= import('./connect.ts').then(({ connectRegistry }) => {
      link = connectRegistry({ settings, address, file, log })
      if (newest !== undefined) link.report(newest)
      for (const text of alarms.splice(0)) link.alarm(text)
      return link
    }))

  return {
    load: () => void loaded(),
    async descriptor(signal) {
      const kept = link === undefined ? file.read() : undefined
      if (kept !== undefined && !(await reachable(address, signal))) {
        log.error('starting from the last good descriptor: the registry takes no connection', { host: address.host, port: address.registryPort })
        return kept
      }
      return (await loaded()).descriptor(signal)
    },
    tryDescriptor: async (timeoutMs) => (await loaded()).tryDescriptor(timeoutMs),
    report(view) {
      newest = view
      link?.report(view)
    },
    alarm(text) {
      if (link === undefined) alarms.push(text)
      else link.alarm(text)
    },
    loadConfig: async (name) => (await loaded()).loadConfig(name),
    close: async (timeoutMs) => (await loaded()).close(timeoutMs),
  }
}

function reachable({ host, registryPort }: RegistryAddress, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port: registryPort, timeout: REACH_MS, signal })
    const answer = (reached: boolean) => (): void => {
      resolve(reached)
      socket.destroy()
    }
    socket.on('connect', answer(true))
    socket.on('timeout', answer(false))
    socket.on('error', answer(false))
  })
}
