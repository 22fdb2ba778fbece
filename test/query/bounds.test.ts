// What those who ask may cost: nothing is asked or read for who does not wait for its answers.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { steadyTime } from '#store/dataset.ts'
import type { GatheredReader } from '#store/remote.ts'
import { createAnswerer, type Answerer, type Asker } from '../../framework/query/answer.ts'
import { statKind } from '../../framework/query/model/kind.ts'
import { answerOf, planOf } from '../../framework/query/model/question.ts'
import { textOf } from '../../framework/query/model/text-protocol.ts'
import { startTextServer } from '../../framework/query/text-server.ts'
import { until } from '../registry/cluster.ts'

const asked = { date: '20260105', tflag1: '0000', tflag2: '2360', conditions: [], indexs: ['succ_count'], groupby: [] }

test('what nobody waits for any more when its turn comes is not asked of the stores', async () => {
  const waiting: (() => void)[] = []
  const started: string[] = []
  const reader: Pick<GatheredReader, 'totals' | 'last'> = {
    async totals(_dataset, { from }) {
      started.push(from)
      await new Promise<void>((resolve) => waiting.push(resolve))
      return { answer: [{ keys: [], values: [1] }], stores: 1, answered: 1, failures: [] }
    },
    last: async () => ({ answer: undefined, stores: 1, answered: 1, failures: [] }),
  }
  const answerer = createAnswerer({ kind: statKind, reader: reader as GatheredReader, atOnce: { inAll: 1, perOwner: 1, mostOfOwner: 9 }, log: silentLogger })
  const ask = (date: string, asker: Partial<Asker> = {}) => answerer.answer({ ...asked, date }, { peer: 'a', timeoutMs: 0, gone: false, ...asker })
  const gone = { peer: 'a', timeoutMs: 0, gone: false }
  const answers = [ask('20260101'), answerer.answer({ ...asked, date: '20260102' }, gone), ask('20260103', { timeoutMs: 1 }), ask('20260104')]
  gone.gone = true
  const from = steadyTime()
  await until(async () => steadyTime() > from + 1)
  for (let count = 0; count < 2; count++) {
    await until(async () => waiting.length > 0)
    waiting.shift()?.()
  }
  expect((await Promise.all(answers)).map(({ ret, msg }) => [ret, msg.slice(0, 27)])).toEqual([[0, ''], [-1, 'the answer takes too long ('], [-1, 'the answer takes too long ('], [0, '']])
  expect([started, answerer.counts]).toEqual([['20260101', '20260104'], { answered: 2, refused: 2, failed: 0 }])
})

test('a name with commas in it is one field of a row, and none of another row', () => {
  const plan = planOf(statKind, { ...asked, groupby: ['slave_name', 'interface_name'] })
  expect([...answerOf(statKind, plan, [{ keys: ['Mall.Shop', 'pay'], values: [3] }, { keys: ['Mall.Shop,pay', ''], values: [5] }])]).toEqual([['Mall.Shop,pay', [3]], ['Mall.Shop?pay,', [5]]])
})

describe('the text protocol', () => {
  /** Its answers are given by hand. */
  async function serve(result: ReadonlyMap<string, number[]> = new Map()): Promise<{ readonly waiting: (() => void)[]; readonly connect: () => Promise<Socket> }> {
    const waiting: (() => void)[] = []
    const answerer: Answerer = {
      usualIndex: 'succ_count', counts: { answered: 0, refused: 0, failed: 0 }, lastTime: async () => '',
      async answer({ groupby }) {
        await new Promise<void>((resolve) => waiting.push(resolve))
        return { ret: 0, msg: '', lastTime: groupby.join(), activeDb: 1, totalDb: 1, retThreads: [], result: new Map(result) }
      },
    }
    const server = await startTextServer({ address: '127.0.0.1', port: 0, answerer })
    onTestFinished(() => server.stop())
    return {
      waiting,
      async connect() {
        const socket = connect({ host: '127.0.0.1', port: server.port, allowHalfOpen: true })
        onTestFinished(() => void socket.destroy())
        await once(socket, 'connect')
        return socket
      },
    }
  }
  const question = (name: string): string => JSON.stringify({ filter: ['f_date=20260105'], groupby: [name] })

  test('who has asked all and says so is answered, one question after the other', async () => {
    const { waiting, connect: open } = await serve()
    const socket = await open()
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    socket.end(['a', 'b', 'c'].map(question).join('\n'))
    for (const count of [1, 2, 3]) {
      await until(async () => waiting.length === 1)
      expect(text.match(/endline/g)?.length ?? 0).toBeLessThan(count)
      waiting.shift()?.()
    }
    await once(socket, 'close')
    expect([...text.matchAll(/lasttime:(\w)/g)].map(([, name]) => name)).toEqual(['a', 'b', 'c'])
  })

  test('who does not read its answers is not read from either', async () => {
    const result = new Map(Array.from({ length: 10_000 }, (_, index) => [`${index}`.padStart(100, '0'), [1]]))
    const name = 'x'.repeat(50_000)
    const { waiting, connect: open } = await serve(result)
    const socket = await open()
    socket.pause()
    const questions = 60
    for (let index = 0; index < questions; index++) socket.write(question(name))
    socket.end()
    // What the system keeps for both ends is taken; then nothing is asked any more.
    let answered = 0
    for (let still = 0; still < 10;) {
      const next = waiting.shift()
      if (next === undefined) still++
      else [still, answered] = [0, answered + 1]
      next?.()
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(answered).toBeGreaterThan(0)
    expect(answered).toBeLessThan(questions / 2)
    let bytes = 0
    socket.on('data', (chunk: Buffer) => (bytes += chunk.length)).resume()
    const closed = once(socket, 'close')
    const timer = setInterval(() => waiting.shift()?.(), 1)
    await closed
    clearInterval(timer)
    expect(bytes).toBe(questions * textOf({ ret: 0, msg: '', lastTime: name, activeDb: 1, totalDb: 1, retThreads: [], result }, 1).length)
  })
})
