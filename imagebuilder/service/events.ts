import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { StoredBuild, TImageStore } from './timage.ts'

/** An event of a stream; without a number it cannot be resumed from. */
interface Sendable {
  readonly id?: number
  readonly type: string
}

/** A proxy gives a silent connection up. Milliseconds. */
const keepAliveMs = 15_000

/** Sends events as they come, and ends with them (HTML Living Standard, "Server-sent events"). */
export async function sendEvents(response: ServerResponse, events: AsyncIterable<Sendable>, signal: AbortSignal): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
  response.flushHeaders()
  const alive = setInterval(() => response.write(':\n\n'), keepAliveMs)
  try {
    for await (const { id, type, ...data } of events) {
      const sent = response.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`)
      if (!sent) await once(response, 'drain', { signal })
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    clearInterval(alive)
    response.end()
  }
}

/** The phases of a build that somebody else runs, as its TImage tells them. */
export async function* followStored(timages: TImageStore, build: StoredBuild, signal: AbortSignal): AsyncGenerator<Sendable & { readonly phase: string; readonly message: string }> {
  let last = ''
  for await (const { phase, message, running } of timages.follow(build, signal)) {
    if (`${phase} ${message}` !== last) yield { type: 'phase', phase, message }
    last = `${phase} ${message}`
    if (!running) return
  }
}
