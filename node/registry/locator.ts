// The registry's QueryObj at a local address, for services whose conf names no hosts; see server-config/addresses.ts.
import { createConnection, createServer, type Socket } from 'node:net'
import { Failure } from '#base/errors.ts'
import { dialTls } from '#tars/client/dial-tls.ts'
import type { RegistryAddress } from '../env.ts'
import { trusted } from './connect.ts'

/** Connections at once; one more waits until one ends. */
const MOST = 256

export interface LocatorOptions {
  readonly registry: RegistryAddress
  readonly localAddress: string
  readonly port: number
  /** Listens already, when it could be made. */
  readonly socket: number | undefined
}

/**
 * Leads each connection to the registry, which is looked up anew for it. Resolves when it listens.
 * @throws Failure LOCATOR_LISTEN
 */
export function serveLocator({ registry, localAddress, port, socket }: LocatorOptions): Promise<void> {
  const { host, queryPort } = registry
  const tls = trusted(registry)
  const dial = (): Socket => (tls === undefined ? createConnection({ host, port: queryPort }) : dialTls({ host, port: queryPort }, host, tls))
  const server = createServer((near) => {
    const far = dial()
    near.pipe(far).pipe(near)
    for (const [one, other] of [[near, far], [far, near]] as const) one.on('error', () => {}).on('close', () => other.destroy())
  })
  server.maxConnections = MOST
  return new Promise((resolve, reject) => {
    server.on('error', (cause) => reject(new Failure('LOCATOR_LISTEN', `cannot listen on ${localAddress}:${port} for the service's questions to the registry`, { cause, remedy: 'set TARSNODE_LOCATOR_PORT in spec.k8s.env of the TServer to a free port' })))
    server.listen(socket === undefined ? { host: localAddress, port } : { fd: socket }, () => resolve())
  })
}
