// What waits to be posted has a weight, which is bounded.
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { HttpOutbox } from '#base/http-outbox.ts'
import { createLogger, silentLogger } from '#base/log.ts'

test('requests have so much weight, and so much waits: the oldest go', async () => {
  const bodies: string[] = []
  const first = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const server = http.createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => {
      bodies.push(text)
      first.resolve()
      void gate.promise.then(() => response.end())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const outbox = new HttpOutbox<string>({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, body: (items) => items, weigh: ({ length }) => length, batch: 4, capacity: 10, remedy: '', log: silentLogger })
  onTestFinished(() => outbox.stop())
  outbox.add('a')
  await first.promise
  for (const item of ['bb', 'ccc', 'ddd', 'ee', 'f']) outbox.add(item)
  // "a" is under way, and the oldest of twelve.
  expect(outbox.size).toEqual({ waiting: 4, sent: 0, lost: 2 })
  gate.resolve()
  while (outbox.size.waiting > 0) await new Promise((resolve) => setImmediate(resolve))
  expect(bodies.map((body) => JSON.parse(body) as string[])).toEqual([['a'], ['ccc'], ['ddd'], ['ee', 'f']])
  outbox.add('x'.repeat(11))
  expect(outbox.size).toEqual({ waiting: 0, sent: 5, lost: 3 })
})

test('what is said of a failure names the host alone: path and query of an address may be credentials', async () => {
  const statuses = [500, 400]
  const server = http.createServer((_request, response) => response.writeHead(statuses.shift() ?? 200).end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const lines: string[] = []
  const outbox = new HttpOutbox<string>({ url: `http://${host}/services/s3cret?key=s3cret`, body: (items) => items, batch: 1, remedy: '', log: createLogger({ write: (line) => void lines.push(line) }) })
  outbox.add('a')
  while (outbox.size.lost === 0) await new Promise((resolve) => setImmediate(resolve))
  await outbox.stop()
  expect(lines).toEqual([expect.stringContaining(`${host} answered 500`), expect.stringContaining(`${host} answered 400`)])
  expect(lines.join()).not.toContain('s3cret')
})
