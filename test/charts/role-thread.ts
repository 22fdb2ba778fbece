// A role in a thread of its own, that tells its maker whom it connects to.
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { silentLogger } from '#base/log.ts'
import type { Role } from '#base/lifecycle.ts'

export interface RoleData {
  /** Path of its role.ts. */
  readonly module: string
  readonly env: Readonly<Record<string, string>>
}

/** A word of the thread: it serves, or it connects. */
export type RoleWord = { readonly serves: true } | { readonly connects: readonly [address: string, port: number] }

const { module, env } = workerData as RoleData
const tell = (word: RoleWord): void => parentPort?.postMessage(word)

subscribe('net.client.socket', (message) => {
  const { socket } = message as { readonly socket: Socket }
  socket.on('connectionAttempt', (address: string, port: number) => tell({ connects: [address, port] }))
})
const { start } = (await import(module)) as { readonly start: Role }
const running = await start({ env, log: silentLogger, signal: new AbortController().signal })
parentPort?.once('message', () => void running.stop().finally(() => process.exit()))
tell({ serves: true })
