import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, Failure } from '#base/errors.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Answerer } from './answer.ts'
import { errorText, parseText, textOf, timeText } from './model/text-protocol.ts'

export interface TextServerOptions {
  readonly address: string
  /** 0 takes a free one. */
  readonly port: number
  readonly answerer: Answerer
}

/** Bytes of a question. */
const longestQuestion = 64 << 10
/** A connection that says nothing is closed, milliseconds. */
const idleMs = 60_000

/** Serves the text protocol (framework-services 8.4): a JSON object in, lines out, any number of times a connection. */
export async function startTextServer({ address, port, answerer }: TextServerOptions): Promise<Running & { readonly port: number }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setTimeout(idleMs, () => socket.destroy())
    serve(socket, answerer)
  })
  server.maxConnections = 256
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(new Failure('QUERY_LISTEN', `${address}:${port} cannot be listened on`, { cause, remedy: 'give another port' })))
    server.listen(port, address, resolve)
  })
  const life = new Lifetime()
  life.onStop(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return Object.assign(life, { port: (server.address() as AddressInfo).port })
}

function serve(socket: Socket, answerer: Answerer): void {
  let waiting = Buffer.alloc(0)
  let turn = Promise.resolve()
  socket.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk])
    // A question ends with the last brace of what has come.
    const end = waiting.lastIndexOf('}')
    const text = waiting.subarray(0, end + 1).toString()
    if (end >= 0 && isWhole(text)) {
      waiting = waiting.subarray(end + 1)
      turn = turn.then(() => reply(text, answerer)).then((answer) => void (socket.destroyed || socket.write(answer)))
    } else if (waiting.length > longestQuestion || (waiting.length > 0 && !/^\s*\{/.test(waiting.subarray(0, 64).toString()))) socket.end(errorText('a question is a JSON object of at most 64 KiB'))
  })
}

/** Braces may be in texts, and an object in another: whole is what can be read. */
function isWhole(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

async function reply(text: string, answerer: Answerer): Promise<string> {
  try {
    const question = parseText(text)
    return question.method === 'timecheck' ? timeText(await answerer.lastTime()) : textOf(await answerer.answer(question.asked))
  } catch (error) {
    return errorText(describe(error))
  }
}
