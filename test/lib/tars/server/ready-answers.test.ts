import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import { FrameReader, decodeResponse, packetType } from '#tars/packet.ts'
import { createServer, ReadyAnswers, type ServerOptions } from '#tars/server.ts'
import { Echo, echoServant, objectName, type EchoProxy } from './echo.ts'
import { echoRequest, rawPeer } from './raw-peer.ts'

const argsOf = (key: number): Buffer => Buffer.from(`key ${key}`.repeat(1 + (key % 7)))

function answerTo(ready: ReadyAnswers, args: Buffer): Buffer | undefined {
  const place = ready.find(args)
  if (place < 0) return undefined
  const writer = new Writer()
  ready.write(place, writer)
  return writer.bytes()
}

/** Numbers below `below`, the same in each run. */
function dice(): (below: number) => number {
  let random = 7
  return (below) => (random = (Math.imul(random, 1103515245) + 12345) >>> 0) % below
}

describe('ready answers', () => {
  it('are as a Map would have them, whatever is set, changed and deleted in whatever order, in memory of the size of what there is', () => {
    const [ready, model, next] = [new ReadyAnswers(), new Map<number, Buffer>(), dice()]
    const sizes = [20, 20, 900, 900, 900, 3000, 3000, 70_000]
    let live = 0
    const put = (key: number, body: Buffer | undefined): void => {
      live += (body?.length ?? 0) - (model.get(key)?.length ?? 0)
      if (body === undefined) model.delete(key)
      else model.set(key, body)
    }
    for (let step = 0; step < 50_000; step++) {
      // Many come, and then few are left.
      const key = next(step % 20_000 < 15_000 ? 2000 : 50)
      const body = next(3) === 0 ? undefined : Buffer.alloc(sizes[next(sizes.length)] as number, `answer ${step} `)
      if (body === undefined) ready.delete(argsOf(key))
      else ready.set(argsOf(key), body)
      put(key, body)
      const asked = next(2000)
      expect(answerTo(ready, argsOf(asked))?.equals(model.get(asked) ?? Buffer.alloc(0))).toBe(model.has(asked) ? true : undefined)
      expect(ready.bytes).toBeLessThan(3 * live + (1 << 20))
    }
    for (let key = 0; key < 2000; key++) expect(answerTo(ready, argsOf(key))).toEqual(model.get(key))
    for (const key of model.keys()) ready.delete(argsOf(key))
    expect(ready.bytes).toBeLessThan(1 << 20)
  }, 60_000)

  it('are gone when they are cleared, and can be set again', () => {
    const ready = new ReadyAnswers()
    for (let key = 0; key < 500; key++) ready.set(argsOf(key), Buffer.from(`old ${key}`))
    ready.clear()
    for (let key = 0; key < 500; key++) expect(answerTo(ready, argsOf(key))).toBeUndefined()
    ready.set(argsOf(7), Buffer.from('new'))
    expect(answerTo(ready, argsOf(7))?.toString()).toBe('new')
  })

  it('carry every byte', () => {
    const [ready, body, args] = [new ReadyAnswers(), Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), Buffer.from([0, 255, 128])]
    ready.set(args, body)
    expect(answerTo(ready, args)).toEqual(body)
  })
})

const bodyOf = (text: string): Buffer => {
  const body = new Writer()
  Echo.functions['text']?.writeResult(body, text)
  return body.bytes()
}

const question = (text: string): Buffer => {
  const args = new Writer()
  Echo.functions['text']?.writeArgs(args, [text])
  return args.bytes()
}

/** A server whose `text` has ready answers. */
async function serve(ready: ReadyAnswers, { servant = echoServant(), concurrency = 1000, ...options }: Partial<ServerOptions> & { readonly servant?: object; readonly concurrency?: number } = {}): Promise<number> {
  const server = createServer({ ...options, adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0', concurrency, servants: { [objectName]: { interface: Echo, servant, ready: { text: ready } } } }] })
  await server.start()
  onTestFinished(() => server.drain(0))
  return server.endpoints[0]?.port ?? 0
}

const textOf = (body: Buffer): unknown => Echo.functions['text']?.readResult(new Reader(body))

describe('a server with ready answers', () => {
  it('sends them without its servant, and asks it for all else and in other versions', async () => {
    const ready = new ReadyAnswers()
    ready.set(question('a'), bodyOf('ready'))
    const port = await serve(ready)
    const communicator = new Communicator({ timeoutMs: 60_000 })
    onTestFinished(() => communicator.close())
    const proxy = communicator.proxy<EchoProxy>(Echo, `${objectName}@tcp -h 127.0.0.1 -p ${port}`)
    expect(await proxy.text('a')).toBe('ready')
    expect(await proxy.text('b')).toBe('b')
    expect(await proxy.text('longer than any question that is known')).toBe('longer than any question that is known')
    for (const version of [3, 5] as const) expect(await proxy.text('a', { version })).toBe('a')
    ready.delete(question('a'))
    expect(await proxy.text('a')).toBe('a')
  })

  it('answers each of many questions that come at once', async () => {
    const ready = new ReadyAnswers()
    for (let i = 0; i < 300; i += 2) ready.set(question(`q${i}`), bodyOf(`ready ${i}`))
    const peer = await rawPeer(await serve(ready))
    const isOther = (i: number): boolean => i > 200 && i % 7 === 0
    await peer.write(Buffer.concat(Array.from({ length: 300 }, (_, i) => isOther(i) ? echoRequest(i, 'divide', [i, 7]) : echoRequest(i, 'text', [`q${i}`]))))
    const responses = (await peer.until(300)).toSorted((a, b) => a.requestId - b.requestId)
    for (const [i, { requestId, ret, body }] of responses.entries()) {
      expect([requestId, ret]).toEqual([i, 0])
      if (!isOther(i)) expect(textOf(body)).toBe(i % 2 === 0 ? `ready ${i}` : `q${i}`)
    }
    peer.destroy()
  })

  it('goes by what is ready when a call starts, also when a method changes it meanwhile', async () => {
    const ready = new ReadyAnswers()
    const set = (key: string, body: Buffer): void => ready.set(question(key), body)
    for (let i = 0; i < 1000; i++) set(`q${i}`, bodyOf(`old ${i} ${'.'.repeat(i)}`))
    const servant = {
      ...echoServant(),
      text: (value: string) => {
        for (let i = 0; i < 1000; i++) set(`q${i}`, bodyOf(`new ${i}`))
        return value
      },
    }
    const peer = await rawPeer(await serve(ready, { servant }))
    const keys = ['q500', 'other', 'q500', 'q999', 'q1']
    await peer.write(Buffer.concat(keys.map((key, id) => echoRequest(id, 'text', [key]))))
    expect((await peer.until(keys.length)).map(({ body }) => textOf(body))).toEqual([`old 500 ${'.'.repeat(500)}`, 'other', 'new 500', 'new 999', 'new 1'])
    peer.destroy()
  })

  it('keeps what waiting calls were sent with, however large it is', async () => {
    const ready = new ReadyAnswers()
    ready.set(question('long enough a question'), bodyOf('ready'))
    const peer = await rawPeer(await serve(ready, { servant: { ...echoServant(), text: async (value: string) => value }, concurrency: 1 }))
    const large = new Map([['key', 'x'.repeat(100_000)]])
    const count = 400
    await peer.write(Buffer.concat([echoRequest(0, 'text', ['q0'], { context: large }), echoRequest(1, 'text', ['q1'], { context: large }), ...Array.from({ length: count - 2 }, (_, i) => echoRequest(i + 2, 'text', [`q${i + 2}`]))]))
    const answers = (await peer.until(count)).toSorted((a, b) => a.requestId - b.requestId).map(({ ret, body }) => (ret === 0 ? textOf(body) : ret))
    expect(answers).toEqual(Array.from({ length: count }, (_, i) => `q${i}`))
    peer.destroy()
  })

  it('carries out what came before a packet that is none', async () => {
    const ready = new ReadyAnswers()
    ready.set(question('long enough a question'), bodyOf('ready'))
    const asked: string[] = []
    const port = await serve(ready, { servant: { ...echoServant(), text: (value: string) => asked.push(value) } })
    const peer = await rawPeer(port)
    await peer.write(Buffer.concat([echoRequest(1, 'text', ['x'], { packetType: packetType.oneWay }), Buffer.from([0, 0, 0, 1])]))
    await peer.closed
    expect(asked).toEqual(['x'])
    const next = await rawPeer(port)
    await next.write(echoRequest(2, 'text', ['long enough a question']))
    expect((await next.until(1)).map(({ body }) => textOf(body))).toEqual(['ready'])
    next.destroy()
  })

  it('sends what was ready when it was asked, also when the peer takes it after others took its place', async () => {
    // More than the sockets hold, so that most of it is still the server's when the answers change.
    const [count, bytes] = [160, 100_000]
    const letter = (i: number): string => String.fromCharCode(97 + (i % 26))
    const ready = new ReadyAnswers()
    for (let i = 0; i < count; i++) ready.set(question(`q${i}`), bodyOf(letter(i).repeat(bytes)))
    let answered = (): void => {}
    const peer = await rawPeer(await serve(ready, { pauseWriteBytes: 64 << 20, metrics: { onResponse: () => answered() } }), false)
    for (let i = 0; i < count; i++) {
      const done = new Promise<void>((resolve) => (answered = resolve))
      await peer.write(echoRequest(i, 'text', [`q${i}`]))
      await done
    }
    ready.clear()
    for (let i = 0; i < count; i++) ready.set(question(`q${i}`), bodyOf('!'.repeat(bytes)))
    const texts: unknown[] = []
    const frames = new FrameReader(64 << 20)
    peer.socket.on('data', (chunk: Buffer) => frames.feed(chunk, (packet, start, end) => texts.push(textOf(decodeResponse(packet.subarray(start, end)).body)) === count && peer.socket.end()))
    await once(peer.socket, 'end')
    expect(texts.map((text) => [...new Set(text as string)].join(''))).toEqual(Array.from({ length: count }, (_, i) => letter(i)))
    peer.destroy()
  })
})
