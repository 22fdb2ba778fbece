// Who may have how much of the disk: whoever takes little has room, however many take much.
import { describe, expect, test } from 'vitest'
import { gathererEnv } from '#store/gatherer-env.ts'
import { KeyGuard } from '#store/key-guard.ts'

const hourMs = 3600_000
const [row, room, bytesADay] = [100, 1_000_000, 4_000_000]
const open = (): KeyGuard => new KeyGuard({ perReporter: 1e9, inAll: 1e9, bytesADay })

/** Has so many rows wanted, one reporter after the other. @returns how many each gets */
function want(guard: KeyGuard, rows: Readonly<Record<string, number>>): Record<string, number> {
  const got = Object.fromEntries(Object.keys(rows).map((reporter) => [reporter, 0]))
  for (let index = 0; index < Math.max(...Object.values(rows)); index++) {
    for (const [reporter, wanted] of Object.entries(rows)) {
      if (index >= wanted || guard.admit(reporter) !== 'own') continue
      guard.charge(reporter, row)
      got[reporter] = (got[reporter] ?? 0) + 1
    }
  }
  return got
}

describe('of the disk', () => {
  test.each([1, 2, 3, 9])('%s that take much leave as much as each of them has, and who takes less than that has all it wants', (count) => {
    const evil = Object.fromEntries(Array.from({ length: count }, (_, index) => [`Evil.${index}`, 20_000]))
    const part = room / row / (count + 1)
    const few = Math.floor(part / 20)
    const guard = open().begin(0)
    for (const got of Object.values(want(guard, evil))) expect(Math.abs(got - part)).toBeLessThanOrEqual(1)
    expect(want(guard.begin(60_000), { ...evil, 'Bank.Vault': few })['Bank.Vault']).toBe(few)
  })

  test('one that takes much all day has half of a day\'s in it, and half of a quarter before', () => {
    const guard = open()
    let rows = 0
    for (let minute = 0; minute < 24 * 60; minute++) rows += want(guard.begin(minute * 60_000), { 'Evil.Pod': 200 })['Evil.Pod'] ?? 0
    const day = bytesADay / 2 / row
    expect(rows).toBeGreaterThan(day * 1.15)
    expect(rows).toBeLessThan(day * 1.25)
  })

  test('many made-up servers together have what there is, and the rest of them is one', () => {
    const guard = open()
    let rows = 0
    for (let minute = 0; minute < 24 * 60; minute++) {
      guard.begin(minute * 60_000)
      for (let index = 0; index < 200; index++) {
        const admission = guard.admit(`Made.Up${minute}-${index}`)
        expect(admission).toBeOneOf(['own', 'rest of all'])
        if (admission === 'own') guard.charge(`Made.Up${minute}-${index}`, row)
        rows += Number(admission === 'own')
      }
    }
    expect(rows * row).toBeGreaterThan(bytesADay)
    expect(rows * row).toBeLessThan(bytesADay * 1.27)
  })

  test('what is taken is said once, and again when there was room between', () => {
    const said: unknown[] = []
    const log = { info() {}, error: (_message: string, fields?: object) => void said.push(fields), child: () => log }
    const guard = new KeyGuard({ perReporter: 1e9, inAll: 1e9, bytesADay }, log)
    for (const hour of [0, 0.1, 0.2, 24, 24.1, 24.2]) want(guard.begin(hour * hourMs), { 'Bank.Vault': 10, 'Evil.Pod': hour === 24 ? 10 : 20_000 })
    guard.begin(25 * hourMs)
    expect(said).toEqual([{ kinds: 15_005, most: 'Evil.Pod' }, { kinds: expect.any(Number) as number, most: 'Evil.Pod' }])
    expect(guard.metrics('x')).toMatch(/\nx_overspent_total [1-9]\d+\n/)
  })

  test('a day\'s is what the store may have, unless it is said', () => {
    const env = { Namespace: 'n', PodIP: '127.0.0.1', TARSSTORE_DATA: '/data', TARSSTORE_BYTES: '5000000' }
    const bytes = (more: Record<string, string>): number | undefined => gathererEnv('TARSSTAT', { port: 1, httpPort: 2 }, { ...env, ...more }).bounds.bytesADay
    expect([bytes({}), bytes({ TARSSTAT_BYTES_A_DAY: '7000000' })]).toEqual([5_000_000, 7_000_000])
  })
})
