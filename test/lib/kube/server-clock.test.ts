import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createKubeClient } from '#kube/client.ts'
import { ServerClock } from '#kube/server-clock.ts'

const second = 1000
const start = Date.parse('2030-01-01T00:00:00.400Z')

/** A client whose own clock is wrong, and a server. */
function pair(wrongMs: number) {
  let passed = 0
  let serverMs = start
  const clock = new ServerClock({ now: () => start + wrongMs + passed, monotonic: () => passed })
  const pass = (ms: number): void => { passed += ms; serverMs += ms }
  return {
    clock, pass,
    set: (ms: number) => { serverMs = ms },
    /** An answer that takes so long each way. */
    answer(thereMs: number, backMs: number) {
      const askedAt = passed
      pass(thereMs)
      const date = new Date(serverMs).toUTCString()
      pass(backMs)
      clock.note(date, askedAt)
    },
    error: () => clock.now() - serverMs,
  }
}

describe('the clock of an API server', () => {
  it('is the own one until there is an answer, and when answers have no date', () => {
    const { clock, error } = pair(-7 * second)
    clock.note(undefined, 0)
    clock.note('yesterday', 0)
    expect(error()).toBe(-7 * second)
  })

  it.each([-31_536_000, -61, 0, 3600, 31_536_000])('is behind by a second at most from the first answer on, with an own clock that is wrong by %i s', (wrong) => {
    const { answer, error } = pair(wrong * second)
    answer(20, 30)
    expect(error()).toBeLessThanOrEqual(0)
    expect(error()).toBeGreaterThanOrEqual(-1030)
  })

  it('is better with every answer, and not worse for a late one', () => {
    const { answer, error, pass } = pair(3600 * second)
    for (let index = 0; index < 200; index++) {
      answer(2, 3)
      pass(137)
    }
    expect(error()).toBeGreaterThan(-30)
    answer(20 * second, 15 * second)
    expect(error()).toBeGreaterThan(-30)
    expect(error()).toBeLessThanOrEqual(0)
  })

  it('follows a server whose clock is set', () => {
    const { answer, error, set } = pair(0)
    answer(2, 3)
    for (const to of [start - 86_400 * second, start + 60 * second]) {
      set(to)
      answer(2, 3)
      expect(error()).toBeLessThanOrEqual(0)
      expect(error()).toBeGreaterThanOrEqual(-1003)
    }
  })

  it('is what a client has', async () => {
    const server = createServer((_request, response) => response.writeHead(200, { date: new Date(start).toUTCString(), 'content-type': 'application/json' }).end('{}'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const client = createKubeClient({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
    await client.raw('GET', '/version')
    expect(Math.abs(client.clock.now() - start)).toBeLessThan(30 * second)
    client.close()
    server.close()
  })
})
