import { connect, createServer, type AddressInfo } from 'node:net'
import { describe } from '#base/errors.ts'

/** How every JSON answer begins, as in K8sFramework's first agent. 0 is fine. */
export interface ErrorInfo {
  readonly err_code: number
  readonly err_msg: string
}

export interface PortAnswer {
  readonly err_info: ErrorInfo
  readonly port: number
  readonly in_use: boolean
}

export const fine: ErrorInfo = Object.freeze({ err_code: 0, err_msg: '' })

const dialMs = 1000

/** Whether something listens on a port of the node; for port 0, a free one (node-and-image E, E0). */
export async function askPort(host: string, port: number): Promise<PortAnswer> {
  try {
    return port === 0 ? { err_info: fine, port: await freePort(host), in_use: false } : { err_info: fine, port, in_use: await answers(host, port) }
  } catch (error) {
    return portRefusal(describe(error))
  }
}

export function portRefusal(message: string): PortAnswer {
  return { err_info: { err_code: -1, err_msg: message }, port: 0, in_use: false }
}

async function freePort(host: string): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen({ host, port: 0, exclusive: true }, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function answers(host: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port, signal: AbortSignal.timeout(dialMs) })
    const end = (inUse: boolean): void => {
      socket.destroy()
      resolve(inUse)
    }
    socket.once('connect', () => end(true)).on('error', () => end(false))
  })
}
