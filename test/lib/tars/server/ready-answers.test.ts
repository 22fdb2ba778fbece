import { describe, expect, it, onTestFinished } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { Writer } from '#tars/codec/writer.ts'
import { ReadyAnswers } from '#tars/server.ts'
import { Echo, echoServant, objectName, startEcho, type EchoProxy } from './echo.ts'

const argsOf = (key: number): Buffer => Buffer.from(`key ${key}`.repeat(1 + (key % 7)))
const text = (answer: string | undefined, args: Buffer) => answer === undefined ? undefined : [answer.slice(0, -args.length), answer.slice(-args.length)]

describe('ready answers', () => {
  it('are as a Map would have them, whatever is set, changed and deleted in whatever order', () => {
    const [ready, model] = [new ReadyAnswers(), new Map<number, string>()]
    let random = 7
    const next = (below: number): number => (random = (Math.imul(random, 1103515245) + 12345) >>> 0) % below
    for (let step = 0; step < 50_000; step++) {
      const key = next(2000)
      if (next(3) === 0) {
        ready.delete(argsOf(key))
        model.delete(key)
      } else {
        ready.set(argsOf(key), Buffer.from(`answer ${step}`))
        model.set(key, `answer ${step}`)
      }
      const asked = next(2000)
      const known = model.get(asked)
      expect(text(ready.get(argsOf(asked)), argsOf(asked))).toEqual(known === undefined ? undefined : [known, argsOf(asked).toString()])
    }
    for (let key = 0; key < 2000; key++) expect(text(ready.get(argsOf(key)), argsOf(key))?.[0]).toBe(model.get(key))
  })

  it('carry every byte', () => {
    const [ready, body, args] = [new ReadyAnswers(), Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), Buffer.from([0, 255, 128])]
    ready.set(args, body)
    expect(Buffer.from(ready.get(args) ?? '', 'latin1')).toEqual(Buffer.concat([body, args]))
  })
})

it('a server answers what is ready without its servant, and asks it for all else and in other versions', async () => {
  const ready = new ReadyAnswers()
  const [args, body] = [new Writer(), new Writer()]
  Echo.functions['divide']?.writeArgs(args, [17, 5])
  Echo.functions['divide']?.writeResult(body, { return: 9, rest: 1 })
  ready.set(args.bytes(), body.bytes())
  const server = await startEcho({ servants: { [objectName]: { interface: Echo, servant: echoServant(), ready: { divide: ready } } } })
  const communicator = new Communicator({ timeoutMs: 60_000 })
  onTestFinished(() => communicator.close().then(() => server.stop()))
  const proxy = communicator.proxy<EchoProxy>(Echo, server.object())
  expect(await proxy.divide(17, 5)).toEqual({ return: 9, rest: 1 })
  expect(await proxy.divide(17, 6)).toEqual({ return: 2, rest: 5 })
  for (const version of [3, 5] as const) expect(await proxy.divide(17, 5, { version })).toEqual({ return: 3, rest: 2 })
  ready.delete(args.bytes())
  expect(await proxy.divide(17, 5)).toEqual({ return: 3, rest: 2 })
})
