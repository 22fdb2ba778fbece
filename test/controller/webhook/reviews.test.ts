// Memory of what is posted to the webhooks.
import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { type Refusal, ReviewReader } from '../../../framework/controller/webhook/reviews.ts'

test('of reviews that together have too many bytes the one that has most is given up, and the others are read', async () => {
  const reviews = new ReviewReader(1000)
  const ends: Promise<unknown>[] = []
  const arrived = new http.Server((request) => void ends.push(reviews.read(request, 10_000).catch((error: unknown) => (error as Refusal).status)))
  arrived.listen(0, '127.0.0.1')
  await once(arrived, 'listening')
  onTestFinished(() => arrived.close().closeAllConnections())
  /** Begins a review; resolves when it is known. */
  const post = async (text: string): Promise<http.ClientRequest> => {
    const request = http.request({ port: (arrived.address() as AddressInfo).port, host: '127.0.0.1', method: 'POST', agent: false }).on('error', () => {})
    request.write(text)
    await once(arrived, 'request')
    return request
  }
  const small = await post(`["${'s'.repeat(300)}`)
  await post(`["${'l'.repeat(600)}`)
  const late = await post(`["${'t'.repeat(200)}`)
  expect(await ends[1]).toBe(503)
  small.end('"]')
  late.end('"]')
  expect(await Promise.all([ends[0], ends[2]])).toEqual([['s'.repeat(300)], ['t'.repeat(200)]])
})
