import type { IncomingMessage } from 'node:http'
import { KubeError, errorFromStatus, networkError } from './errors.ts'
import type { KubeObject, Status, WatchEvent } from './types.ts'

/**
 * The events of an open watch answer: one JSON object a line. Ends when the server ends it in good order.
 * @throws KubeError on an ERROR event (410 `Expired` when the history is gone), on a reset, and on a damaged line
 */
export async function* watchEvents<T extends KubeObject>(answer: IncomingMessage): AsyncGenerator<WatchEvent<T>, void, void> {
  let rest = ''
  answer.setEncoding('utf8')
  try {
    for await (const chunk of answer) {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line !== '') yield parseEvent<T>(line)
    }
  } catch (error) {
    throw error instanceof KubeError ? error : networkError('the watch was broken off', error)
  } finally {
    answer.destroy()
  }
  if (rest.trim() !== '') throw networkError('the watch ended in the middle of an event')
}

function parseEvent<T extends KubeObject>(line: string): WatchEvent<T> {
  let event: { type?: string; object?: unknown }
  try {
    event = JSON.parse(line) as typeof event
  } catch (cause) {
    throw networkError('the watch sent a damaged event', cause)
  }
  if (event.type === 'ERROR') throw errorFromStatus((event.object ?? {}) as Status, 500)
  return event as WatchEvent<T>
}
