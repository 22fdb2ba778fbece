import type { Settings } from '../env.ts'

/** The business server's own AdminObj, on the local address. */
export interface ServiceAdmin {
  /** AdminF.shutdown; rejects when the service cannot be asked or refuses. */
  shutdown(timeoutMs: number): Promise<void>
  /** AdminF.notify; resolves with the service's answer. */
  notify(command: string): Promise<string>
}

/** Loads the Tars client with the first call: a launch does not wait for it. */
export function serviceAdmin(settings: Pick<Settings, 'localAddress' | 'adminPort'>): ServiceAdmin {
  let loading: Promise<ServiceAdmin> | undefined
  const client = (): Promise<ServiceAdmin> => (loading ??= import('./admin-client.ts').then(({ adminClient }) => adminClient(settings)))
  return {
    shutdown: async (timeoutMs) => (await client()).shutdown(timeoutMs),
    notify: async (command) => (await client()).notify(command),
  }
}
