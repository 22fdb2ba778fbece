import type { Logger } from '#base/log.ts'
import type { ServerDescriptor } from '#tars/protocol/RegistryDescriptor.ts'
import type { RegistryAddress, Settings } from '../env.ts'
import type { NoticeLevel } from '../service/ports.ts'
import type { View } from '../service/supervisor.ts'
import { DescriptorFile } from './descriptor-file.ts'
import { descriptorToText } from './descriptor-text.ts'
import type { RegistryLink } from './link.ts'

/** The link, and when to load its code. */
export interface LateRegistry extends RegistryLink {
  /**
   * Loads the Tars client, unless that was needed already. When the first launch was made of the kept descriptor, the
   * registry is asked for its own, until it answers.
   * @param onNewer called when that is another one
   */
  load(onNewer: () => void): void
}

/**
 * The link to a registry whose code is loaded when it is needed: evaluating the Tars client costs as much as starting
 * the runtime does. A restarted container resumes with the descriptor that it ran with, at once and whatever the
 * registry does; every later launch asks first.
 */
export function lateRegistry(settings: Settings, address: RegistryAddress, log: Logger): LateRegistry {
  const file = new DescriptorFile(settings.paths.descriptorFile, log)
  const notices: (readonly [NoticeLevel, string])[] = []
  let resumed: ServerDescriptor | undefined
  let newest: View | undefined
  let link: RegistryLink | undefined
  let loading: Promise<RegistryLink> | undefined

  const loaded = (): Promise<RegistryLink> =>
    (loading ??= import('./connect.ts').then(({ connectRegistry }) => {
      link = connectRegistry({ settings, address, file, log })
      if (newest !== undefined) link.report(newest)
      for (const notice of notices.splice(0)) link.notify(...notice)
      return link
    }))

  const verify = async (kept: ServerDescriptor, onNewer: () => void): Promise<void> => {
    const fresh = await (await loaded()).freshDescriptor(new AbortController().signal)
    if (resumed === kept && descriptorToText(fresh) !== descriptorToText(kept)) onNewer()
  }

  return {
    load(onNewer) {
      if (resumed === undefined) void loaded()
      else void verify(resumed, onNewer)
    },
    async descriptor(signal) {
      resumed = loading === undefined ? file.read() : undefined
      return resumed ?? (await loaded()).descriptor(signal)
    },
    freshDescriptor: async (signal) => (await loaded()).freshDescriptor(signal),
    tryDescriptor: async (timeoutMs) => (await loaded()).tryDescriptor(timeoutMs),
    report(view) {
      newest = view
      link?.report(view)
    },
    notify(level, text) {
      if (link === undefined) notices.push([level, text])
      else link.notify(level, text)
    },
    loadConfig: async (name) => (await loaded()).loadConfig(name),
    checkCaller: async (caller) => (await loaded()).checkCaller(caller),
    othersServe: async (objects) => (await loaded()).othersServe(objects),
    close: async (timeoutMs) => (await loaded()).close(timeoutMs),
  }
}
