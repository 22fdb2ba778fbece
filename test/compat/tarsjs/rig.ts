// Starts the @tars/rpc echo server, and gives its client classes types.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { objectName } from '../../lib/tars/server/echo.ts'
import { ownAddress } from '../../rig/own-address.ts'

const require = createRequire(import.meta.url)

/** Version of the peer that is installed. */
export const tarsJsVersion = (require('@tars/rpc/package.json') as { version: string }).version

/* The peer is untyped JavaScript: any is what it is. */
// oxlint-disable-next-line typescript/no-explicit-any
export const tarsJs = require('./sample.cjs') as any

export interface TarsJsServer {
  readonly process: ChildProcess
  readonly host: string
  readonly port: number
  /** `App.Server.Obj@…` */
  readonly object: string
  stop(): Promise<void>
}

/** @param protocol transport @param execArgv flags of the Node process */
export async function startTarsJs(protocol: 'tcp' | 'udp' = 'tcp', execArgv: readonly string[] = []): Promise<TarsJsServer> {
  // It cannot take port 0, as it does not tell which one it got.
  const [host, port] = [ownAddress(), 10_000]
  const address = `${protocol} -h ${host} -p ${port}`
  const child = fork(join(import.meta.dirname, 'server.cjs'), [`${address} -t 600000`, objectName], { execArgv: [...execArgv], silent: true })
  const exited = once(child, 'exit').then(() => { throw new Error('the @tars/rpc server ended before it listened') })
  exited.catch(() => {})
  await Promise.race([once(child, 'message'), exited])
  return {
    process: child,
    host,
    port,
    object: `${objectName}@${address}`,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill()
      await ended
    },
  }
}
