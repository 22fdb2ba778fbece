import { isIP, type Socket, type TcpNetConnectOpts } from 'node:net'
import type { ClientTls } from './link.ts'

/** Connects over TLS; `secureConnect` follows when the certificate is for the host, or for the name that is told, and of an authority that is trusted. */
export function dialTls(address: TcpNetConnectOpts, host: string, { ca, name = host }: ClientTls = {}): Socket {
  // Whoever uses no TLS does not load it.
  const { connect, checkServerIdentity } = process.getBuiltinModule('node:tls')
  return connect({
    ...address, minVersion: 'TLSv1.2', ...(ca === undefined ? {} : { ca: ca() }),
    // No server name may be an address (RFC 6066, 3).
    ...(isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  })
}
