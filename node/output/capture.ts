import { readSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Libc } from '../system/libc.ts'

/** Most that one synchronous look takes, so that a service in a print loop cannot hold the supervisor. */
const DRAIN_BYTES = 1 << 20

/** One captured stream of the service: a pipe whose write end every launch inherits. */
export interface Capture {
  /** For the child's stdio. */
  readonly writeEnd: number
  /** From now on what comes is handed on; until then it stays in the pipe. */
  begin(): Promise<void>
  /** Takes at once what the pipe holds, so that the last words of a dead process are known. */
  drain(): void
  close(): void
}

/**
 * A pipe from the service. It lives as long as the supervisor: a child that closes its stdout or leaves a grandchild
 * with it changes nothing, and a relaunch costs no new pipe.
 */
export function capture(libc: Pick<Libc, 'pipe'>, onData: (chunk: Buffer) => void): Capture {
  const { read, write } = libc.pipe()
  let socket: Socket | undefined
  return {
    writeEnd: write,
    async begin() {
      const net = await import('node:net')
      socket = new net.Socket({ fd: read, readable: true, writable: false })
      socket.on('data', onData)
      socket.on('error', () => {})
    },
    drain() {
      const buffer = Buffer.allocUnsafe(1 << 16)
      for (let taken = 0; taken < DRAIN_BYTES; ) {
        const count = readAvailable(read, buffer)
        if (count === 0) return
        taken += count
        onData(Buffer.from(buffer.subarray(0, count)))
      }
    },
    close: () => void socket?.destroy(),
  }
}

function readAvailable(fd: number, buffer: Buffer): number {
  try {
    return readSync(fd, buffer)
  } catch {
    return 0
  }
}
