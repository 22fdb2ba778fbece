import { Failure } from '#base/errors.ts'
import type { ServerDescriptor } from '#tars/protocol/Registry.ts'
import type { NoticeLevel } from '../service/ports.ts'
import type { View } from '../service/supervisor.ts'

/** The supervisor's calls to others: registry, notify, config, and the service's own AdminObj. */
export interface RegistryLink {
  /** Fresh, or the last good one; see DescriptorSource. */
  descriptor(signal: AbortSignal): Promise<ServerDescriptor>
  /** Fresh; asks until the registry answers or the signal aborts. */
  freshDescriptor(signal: AbortSignal): Promise<ServerDescriptor>
  tryDescriptor(timeoutMs: number): Promise<ServerDescriptor | undefined>
  /** Tells the state until it is heard; waits for nothing. */
  report(view: View): void
  /** Tells tarsnotify, once and at best; waits for nothing. */
  notify(level: NoticeLevel, text: string): void
  /** ConfigF.loadConfig for a file of our server. */
  loadConfig(file: string): Promise<string>
  /** RegistryObj.checkCaller for our server. */
  checkCaller(address: string): Promise<number>
  /** Whether callers of one of these objects would be sent to a pod that is not ours. */
  othersServe(objects: readonly string[]): Promise<boolean>
  /** Waits at most `timeoutMs` for the last state to be heard, then lets go of everything. */
  close(timeoutMs: number): Promise<void>
}

const noRegistryFailure = (): Promise<never> => Promise.reject(new Failure('REGISTRY_NONE', 'there is no registry', { remedy: 'set TARSNODE_REGISTRY' }))

/** What is said when there is no registry: nothing. Only a service that is no Tars server runs so. */
export const noRegistry: RegistryLink = {
  descriptor: noRegistryFailure,
  freshDescriptor: noRegistryFailure,
  tryDescriptor: () => Promise.resolve(undefined),
  report: () => {},
  notify: () => {},
  loadConfig: noRegistryFailure,
  checkCaller: () => Promise.resolve(0),
  othersServe: noRegistryFailure,
  close: () => Promise.resolve(),
}
