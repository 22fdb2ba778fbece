import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { boundConnections } from '#base/connections.ts'
import { describe, Failure } from '#base/errors.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Answerer, Asker } from './answer.ts'
import { tokenKey, type Tokens } from '#tars/tokens.ts'
import { errorText, parseText, textOf, timeText } from './model/text-protocol.ts'

export interface TextServerOptions {
  readonly address: string
  /** 0 takes a free one. */
  readonly port: number
  readonly answerer: Answerer
  /** Who may ask, by `token` of the question. Absent: whoever reaches the port. */
  readonly tokens?: Tokens | undefined
}

/** Bytes of a question. */
const longestQuestion = 64 << 10
/** A connection that says nothing is closed, milliseconds. */
const idleMs = 60_000
/** Who was refused may read why for so long, milliseconds. */
const lingerMs = 1000

/** Serves the text protocol (framework-services 8.4): a JSON object in, lines out, any number of times a connection. */
export async function startTextServer({ address, port, answerer, tokens }: TextServerOptions): Promise<Running & { readonly port: number }> {
  // Who has asked all and says so gets the answers.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => socket.destroy())
    socket.setTimeout(idleMs, () => socket.destroy())
    serve(socket, answerer, tokens).catch(() => socket.destroy())
  })
  const sockets = boundConnections(server)
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

/** One question after the other; what comes meanwhile is read later, and so is who does not read its answers. */
async function serve(socket: Socket, answerer: Answerer, tokens: Tokens | undefined): Promise<void> {
  const asker: Asker = {
    peer: socket.remoteAddress ?? '',
    timeoutMs: 0,
    get gone() {
      return socket.destroyed
    },
  }
  let waiting: Buffer[] = []
  let bytes = 0
  let end = new ObjectEnd()
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    for (let rest = chunk; rest.length > 0;) {
      const at = end.find(rest)
      const part = at < 0 ? rest : rest.subarray(0, at)
      rest = rest.subarray(part.length)
      waiting.push(part)
      bytes += part.length
      if (bytes > longestQuestion || end.isNone) return refuse(socket)
      if (at < 0) continue
      const text = Buffer.concat(waiting).toString()
      ;[waiting, bytes, end] = [[], 0, new ObjectEnd()]
      const answer = await reply(text, answerer, tokens, asker)
      if (!socket.destroyed && !socket.write(answer)) await once(socket, 'drain')
    }
  }
  socket.end()
}

/** Reads on without looking: a connection with unread bytes would be reset, and the reason lost. */
function refuse(socket: Socket): void {
  socket.end(errorText('a question is a JSON object of at most 64 KiB')).resume()
  setTimeout(() => socket.destroy(), lingerMs).unref()
}

const [quote, backslash, open, close] = [0x22, 0x5c, 0x7b, 0x7d]
const blanks: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0])

/** Sees where a JSON object ends, looking at each byte once: braces may be in texts, and an object in another. */
class ObjectEnd {
  #depth = 0
  #inText = false
  #escaped = false
  /** Something else than an object has begun. */
  isNone = false

  /** @returns the place behind the object's last brace; -1 when it is not in these bytes */
  find(bytes: Buffer): number {
    for (const [index, byte] of bytes.entries()) {
      if (this.#escaped) this.#escaped = false
      else if (this.#inText) this.#see(byte)
      else if (byte === quote && this.#depth > 0) this.#inText = true
      else if (byte === open) this.#depth++
      else if (byte === close && --this.#depth === 0) return index + 1
      else if (this.#depth <= 0 && !blanks.has(byte)) this.isNone = true
      if (this.isNone) return -1
    }
    return -1
  }

  #see(byte: number): void {
    if (byte === backslash) this.#escaped = true
    else if (byte === quote) this.#inText = false
  }
}

async function reply(text: string, answerer: Answerer, tokens: Tokens | undefined, asker: Asker): Promise<string> {
  try {
    if (tokens !== undefined && !tokens.admits(tokenOf(text))) return errorText(`the question has no "${tokenKey}" that is known`)
    const question = parseText(text, answerer.usualIndex)
    return question.method === 'timecheck' ? timeText(await answerer.lastTime(asker)) : textOf(await answerer.answer(question.asked, asker), question.asked.groupby.length)
  } catch (error) {
    return errorText(describe(error))
  }
}

function tokenOf(text: string): string | undefined {
  const token = (JSON.parse(text) as Record<string, unknown>)[tokenKey]
  return typeof token === 'string' ? token : undefined
}
