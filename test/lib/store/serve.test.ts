// Questions over HTTP, and several stores asked together.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import http from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import type { Running } from '#base/lifecycle.ts'
import type { Store, StoreReader } from '#store/dataset.ts'
import { remoteStores } from '#store/remote.ts'
import { serveStore } from '#store/serve.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { dataset, row } from './rig.ts'

let folder: string
const stores: Store[] = []
const served: (Running & { readonly port: number })[] = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-serve-'))
  for (const name of ['a', 'b']) {
    const store = openSqliteStore(join(folder, name))
    stores.push(store)
    served.push(await serveStore({ address: '127.0.0.1', port: 0, metrics: { '/metrics': () => 'x 1\n' }, store: { dataset, reader: store }, log: silentLogger }))
  }
  await stores[0]?.write(dataset, [row('1', { f_date: '20260101', f_tflag: '0100', name: 'x', count: 1, least: 5 }), row('2', { f_date: '20260101', f_tflag: '0300', name: 'y', count: 2 })])
  await stores[1]?.write(dataset, [row('1', { f_date: '20260101', f_tflag: '0200', name: 'x', count: 10, least: 3 }), row('2', { f_date: '20260102', f_tflag: '0001', name: 'z', count: 20 })])
})
afterAll(async () => {
  for (const one of served) await one.stop()
  for (const store of stores) await store.close()
  await rm(folder, { recursive: true, force: true })
})

const urls = (): string[] => served.map(({ port }) => `http://127.0.0.1:${port}`)
const post = (path: string, body: string) => fetch(`${urls()[0]}${path}`, { method: 'POST', body })

describe('several stores', () => {
  const both = remoteStores({ urls })

  test('add up, and take the least and the greatest', async () => {
    const measures = [{ field: 'count', by: 'sum' }, { field: 'least', by: 'min' }, { field: 'least', by: 'max' }] as const
    const { answer, ...rest } = await both.totals(dataset, { from: '20260101', to: '20260102', where: [], groupBy: ['name'], measures })
    expect(rest).toEqual({ stores: 2, answered: 2, failures: [] })
    expect(answer.toSorted((a, b) => (a.keys.join() < b.keys.join() ? -1 : 1))).toEqual([
      { keys: ['x'], values: [11, 3, 5] }, { keys: ['y'], values: [2, undefined, undefined] }, { keys: ['z'], values: [20, undefined, undefined] },
    ])
  })

  test('of which the newest row is one of them has', async () => {
    expect((await both.last(dataset)).answer).toEqual({ day: '20260102', order: '0001' })
  })

  test.each<readonly [string, readonly (readonly [string, string] | undefined)[], number | undefined, string | undefined]>([
    ['the least of them', [['20260105', '0959'], ['20260105', '0958']], 60_000, '20260105 0958'],
    ['over the hour, and midnight', [['20260105', '2360'], ['20260106', '0001'], ['20260105', '2359']], 60_000, '20260105 2359'],
    ['of longer windows', [['20260105', '0960'], ['20260105', '0955']], 300_000, '20260105 0955'],
    ['but for those that have had nothing for a while, or never', [['20260105', '0959'], ['20260105', '0956'], undefined], 60_000, '20260105 0959'],
    ['the newest, of rows of no windows', [['20260105', '0959'], ['20260105', '0958']], undefined, '20260105 0959'],
    ['none', [undefined, undefined], 60_000, undefined],
  ])('are all up to date as far as %s is', async (_what, lasts, windowMs, expected) => {
    const own = await Promise.all(lasts.map((last) => {
      const [day = '', order = ''] = last ?? []
      const reader: StoreReader = { totals: async () => [], find: async () => [], last: async () => (last === undefined ? undefined : { day, order, ...(windowMs === undefined ? {} : { windowMs }) }) }
      return serveStore({ address: '127.0.0.1', port: 0, metrics: {}, store: { dataset, reader }, log: silentLogger })
    }))
    onTestFinished(async () => void (await Promise.all(own.map((one) => one.stop()))))
    const { answer } = await remoteStores({ urls: () => own.map(({ port }) => `http://127.0.0.1:${port}`) }).last(dataset)
    expect(answer && `${answer.day} ${answer.order}`).toBe(expected)
  })

  test('of which some are away say what the others know, and which those are', async () => {
    const metricsOnly = await serveStore({ address: '127.0.0.1', port: 0, metrics: {}, log: silentLogger })
    onTestFinished(() => metricsOnly.stop())
    const breaking = http.createServer((_, response) => response.writeHead(200, { 'content-length': 100 }).write('[', () => response.destroy())).listen(0, '127.0.0.1')
    onTestFinished(() => void breaking.close())
    await once(breaking, 'listening')
    const away = ['http://127.255.255.254:1', `http://127.0.0.1:${metricsOnly.port}`, `http://127.0.0.1:${(breaking.address() as AddressInfo).port}`]
    const { answer, stores, answered, failures } = await remoteStores({ urls: () => [...urls(), ...away, undefined] }).totals(dataset, { from: '20260101', to: '20260102', where: [], groupBy: [], measures: [{ field: 'count', by: 'sum' }] })
    expect([answer, stores, answered]).toEqual([[{ keys: [], values: [33] }], 6, 2])
    expect(failures.map((failure) => failure.slice(0, failure.indexOf(' does not answer: ')))).toEqual(away.map((url) => `${url}/store/totals`))
  })

  test('refuse what one of them refuses', async () => {
    await expect(both.totals({ ...dataset, fields: { ...dataset.fields, newer: { type: 'keyword' } } }, { from: '20260101', to: '20260101', where: [], groupBy: ['newer'], measures: [] })).rejects.toThrow(/no field "newer"/)
  })
})

describe('over HTTP', () => {
  test('metrics, health, and where there is nothing', async () => {
    expect([await (await fetch(`${urls()[0]}/metrics`)).text(), await (await fetch(`${urls()[0]}/healthz`)).text()]).toEqual([expect.stringMatching(/^x 1\n# HELP process_cpu_seconds_total /), 'ok\n'])
    for (const path of ['/', '/toString', '/store/totals', '/../etc/passwd']) expect((await fetch(`${urls()[0]}${path}`)).status).toBe(404)
  })

  const bad: readonly [string, string, RegExp][] = [
    ['/store/totals', 'no json', /no JSON/], ['/store/totals', '7', /no JSON object/], ['/store/totals', 'null', /no JSON object/], ['/store/totals', '{}', /from must be a text/],
    ['/store/drop', '{}', /no question "drop"/], ['/store/find', '{"from":"20260101","to":"20260101","limit":100000}', /limit must be a number from 0 to 10000/],
    ['/store/find', '{"from":"20260101","to":"20260101","where":[{"field":"name","op":"or","value":""}]}', /"or" is no comparison/],
    ['/store/find', '{"from":"20260101","to":"20260101","where":[null]}', /is no comparison/], ['/store/find', '{"from":"20260101","to":"20260101","where":{}}', /where must be a list/],
    ['/store/totals', '{"from":"20260101","to":"20260101","groupBy":[1]}', /groupBy must be a text/], ['/store/totals', '{"from":"20260101","to":"20260101","measures":[{"field":"count","by":"avg"}]}', /"avg" is no measure/],
    ['/store/totals', '{"from":"20260101","to":"20260101","groupBy":["a) --"]}', /no field "a\) --"/], ['/store/totals', `{"x":"${'y'.repeat(300_000)}"}`, /more than 262144 bytes/],
  ]
  test.each(bad)('POST %s %s is refused', async (path, body, says) => {
    const response = await post(path, body)
    expect({ status: response.status, text: ((await response.json()) as { message: string }).message }).toEqual({ status: 400, text: expect.stringMatching(says) as string })
  })
})

test('one who asks much and often does not hold up the others', async () => {
  const days = Array.from({ length: 40 }, (_, index) => `2026${index < 31 ? '03' : '04'}${String((index % 31) + 1).padStart(2, '0')}`)
  await stores[0]?.write(dataset, days.map((day) => row(day, { f_date: day, name: 'x', count: 1 })))
  const much = JSON.stringify({ from: days[0], to: days.at(-1), groupBy: ['f_date'] })
  const socket = connect({ port: served[0]?.port ?? 0, host: '127.0.0.1', localAddress: '127.0.0.2' })
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const answers = (status: number): number => text.split(`HTTP/1.1 ${status}`).length - 1
  const [first, closed] = [once(socket, 'data'), once(socket, 'close')]
  // All of them are there with the first: more than the store takes.
  socket.write(`POST /store/totals HTTP/1.1\r\nHost: x\r\nContent-Length: ${much.length}\r\n\r\n${much}`.repeat(300))
  await first
  expect(await (await post('/store/totals', JSON.stringify({ from: '20260101', to: '20260101', measures: [{ field: 'count', by: 'sum' }] }))).json()).toEqual([{ keys: [], values: [3] }])
  expect(answers(200)).toBeLessThan(50)
  await closed
  // What is too much of it is refused.
  expect([answers(200), text.includes('questions of 127.0.0.2 are not answered yet')]).toEqual([100, true])
})
