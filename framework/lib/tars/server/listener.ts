import type { AddressInfo } from 'node:net'
import { Failure } from '#base/errors.ts'
import { formatEndpoint, type Endpoint } from '../endpoint.ts'
import type { CertificateFolder } from '../tls.ts'
import type { AdapterParts } from './adapter.ts'

export interface ListenerParts extends AdapterParts {
  readonly endpoint: Endpoint
  /** Absent: nothing is encrypted. */
  readonly tls?: { readonly certificates: CertificateFolder; readonly required: boolean } | undefined
}

/** A port of a server, of either transport. */
export interface Listener {
  /** Resolves with the address once it listens. @throws Failure `TARS_LISTEN` */
  start(): Promise<AddressInfo>
  /** No new connections but those that are made and wait to be accepted; the open ones go on. */
  stopAccepting(): void
  /** Resolves when every caller was answered and is gone. @param deadlineMs when the server closes it, milliseconds from now */
  drained(deadlineMs: number): Promise<void>
  /** Ends at once. */
  close(): Promise<void>
  /** Another certificate is in force. */
  renew?(): void
}

const reasons: Readonly<Record<string, readonly [what: string, remedy: string]>> = {
  EADDRINUSE: ['the port is in use', 'stop the program that listens there, or choose another port'],
  EADDRNOTAVAIL: ['this machine does not have that address', 'use an address of this machine, or 0.0.0.0'],
  EACCES: ['listening there is not permitted', 'use a port above 1023, or allow the process to bind it'],
  ENOTFOUND: ['the host name is unknown', 'use an address of this machine'],
}

export function listenFailure(parts: ListenerParts, error: Error & { readonly code?: string }): Failure {
  const text = formatEndpoint(parts.endpoint)
  const [what, remedy] = reasons[error.code ?? ''] ?? [error.message, 'check the endpoint of the adapter']
  return new Failure('TARS_LISTEN', `cannot listen on "${text}": ${what}`, { remedy, cause: error, context: { adapter: parts.name, endpoint: text } })
}
