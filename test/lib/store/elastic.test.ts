// A real OpenSearch behind a door that asks who one is, or that fails.
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { daysOf, steadyTime } from '#store/dataset.ts'
import { openElasticStore } from '#store/elastic/store.ts'
import { startSearchNode, type SearchNode } from '../../rig/search-node/search-node.ts'
import { dataset, row } from './rig.ts'

let node: SearchNode
let door: http.Server
/** What the door says instead of passing on; once. */
let instead: { readonly status: number; readonly text: string } | undefined
/** The door says nothing until whoever asks has gone. */
let held: PromiseWithResolvers<void> | undefined
const seen: string[] = []
beforeAll(async () => {
  node = await startSearchNode('opensearch')
  door = http.createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    if (request.headers.authorization !== `Basic ${Buffer.from('tars:s3cret:é').toString('base64')}`) return void response.writeHead(401).end('{"error":"who are you"}')
    if (held !== undefined) return void response.on('close', held.resolve)
    if (instead !== undefined) {
      response.writeHead(instead.status).end(instead.text)
      instead = undefined
      return
    }
    const { host: _, authorization: _given, ...headers } = request.headers
    const onward = http.request(`${node.url}${request.url}`, { method: request.method, headers }, (answer) => answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)))
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
})
afterAll(async () => {
  door?.closeAllConnections()
  door?.close()
  await node?.remove()
})

const url = (): string => `http://127.0.0.1:${(door.address() as AddressInfo).port}`
const open = (user?: string, password?: string) => openElasticStore({ urls: [url()], prefix: 'tars_', user, password, log: silentLogger })
const rows = [row('a', { f_date: '20260101', name: 'x', count: 1 })]
const ask = (store: ReturnType<typeof open>) => store.totals(dataset, { from: '20260101', to: '20260101', where: [], groupBy: ['name'], measures: [{ field: 'count', by: 'sum' }] })

test('who is not let in is told so, and may try again', async () => {
  await expect(open('tars', 'wrong').write(dataset, rows)).rejects.toMatchObject({ code: 'STORE_AWAY', temporary: true, message: expect.stringContaining('lets nobody in as "tars" (401)') as string })
  await expect(open().write(dataset, rows)).rejects.toThrow(/as a stranger \(401\)/)
})

test('user and password are given, the template is made once, and rows are kept', async () => {
  const store = open('tars', 's3cret:é')
  seen.length = 0
  for (let time = 0; time < 3; time++) expect(await store.write(dataset, rows)).toBe(0)
  expect(seen).toEqual(['PUT /_index_template/tars_stat_', 'POST /_bulk', 'POST /_bulk', 'POST /_bulk'])
  await fetch(`${node.url}/_refresh`, { method: 'POST' })
  expect(await ask(store)).toEqual([{ keys: ['x'], values: [1] }])
})

test.each([
  [429, '{"error":"slow down"}'], [503, 'no JSON at all'], [200, '<html>a login page</html>'],
  [200, '{"errors":true,"items":[{"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"queue is full"}}}]}'],
  [200, '{"errors":true,"items":[{"create":{"status":400,"error":{"type":"validation_exception","reason":"maximum shards open"}}}]}'],
  [404, '{"error":{"type":"index_not_found_exception","reason":"no such index"}}'],
])('an answer %d %s to a write is no loss: the same rows are written later', async (status, text) => {
  const store = open('tars', 's3cret:é')
  const id = `later-${status}-${text.length}`
  await store.write(dataset, [])
  instead = undefined
  await store.write(dataset, rows)
  instead = { status, text }
  await expect(store.write(dataset, [row(id, { f_date: '20260102', name: id, count: 1 })])).rejects.toMatchObject({ temporary: true })
  expect(await store.write(dataset, [row(id, { f_date: '20260102', name: id, count: 1 })])).toBe(0)
})

test('an index that is being made, or a part that fails, is told from one that has nothing', async () => {
  const store = open('tars', 's3cret:é')
  instead = { status: 503, text: '{"error":{"type":"search_phase_execution_exception"}}' }
  expect(await ask(store)).toEqual([{ keys: ['x'], values: [1] }])
  instead = { status: 200, text: '{"_shards":{"total":2,"failed":1,"failures":[{"reason":{"reason":"disk is gone"}}]},"hits":{"hits":[]}}' }
  await expect(ask(store)).rejects.toThrow(/a part of the document store cannot answer: disk is gone/)
})

test('a day that no node has at the moment is told from one that has nothing, beside days that are there', async () => {
  const store = open('tars', 's3cret:é')
  await store.write(dataset, [row('b', { f_date: '20260301', name: 'x', count: 1 })])
  // Its only part may be nowhere.
  const settings = { 'index.routing.allocation.require._name': 'nobody' }
  await fetch(`${node.url}/tars_stat_20260302?wait_for_active_shards=0`, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ settings }) })
  const both = store.totals(dataset, { from: '20260301', to: '20260302', where: [], groupBy: ['name'], measures: [{ field: 'count', by: 'sum' }] })
  await expect(both).rejects.toMatchObject({ temporary: true, context: { status: 503 } })
})

test('who does not wait any longer is told so, and the document store sees that nobody does', async () => {
  const store = open('tars', 's3cret:é')
  held = Promise.withResolvers()
  await expect(store.totals(dataset, { from: '20260101', to: '20260101', where: [], groupBy: [], measures: [], until: steadyTime() + 200 })).rejects.toMatchObject({ code: 'STORE_QUESTION', message: 'the answer takes too long' })
  await held.promise
  held = undefined
  expect(await ask(store)).toEqual([{ keys: ['x'], values: [1] }])
})

test('as many days as may be asked for, where their names are as long as a namespace makes them', async () => {
  const store = openElasticStore({ urls: [node.url], prefix: `${'n'.repeat(63)}_`, log: silentLogger })
  const days = { from: '20260101', to: '20260303' }
  const all = daysOf(days)
  await store.write(dataset, [all[0], all[20], all.at(-1)].map((day = '') => row(day, { f_date: day, name: 'x', count: 1, least: Number(day) })))
  await fetch(`${node.url}/_refresh`, { method: 'POST' })
  const totals = (groupBy: readonly string[]) => store.totals(dataset, { ...days, where: [], groupBy, measures: [{ field: 'count', by: 'sum' }, { field: 'least', by: 'max' }] })
  expect([all.length, await totals(['name']), await totals([])]).toEqual([62, [{ keys: ['x'], values: [3, 20260303] }], [{ keys: [], values: [3, 20260303] }]])
})
