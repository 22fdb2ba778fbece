// Who may have how much of a window's keys and of the disk: whoever takes little has room, however many take much, and whatever they call themselves.
import { describe, expect, test } from 'vitest'
import { gathererEnv } from '#store/gatherer-env.ts'
import { accountOf, KeyGuard, type Account, type Ledger } from '#store/key-guard.ts'

const hourMs = 3600_000
const [row, room, bytesADay] = [100, 1_000_000, 4_000_000]
const open = (): KeyGuard => new KeyGuard({ perReporter: 1e9, inAll: 1e9, bytesADay })

/** Has so many rows wanted, one reporter after the other. @returns how many each gets */
function want(guard: KeyGuard, rows: Readonly<Record<string, number>>, account: (reporter: string) => Account = (reporter) => accountOf(reporter)): Record<string, number> {
  const got = Object.fromEntries(Object.keys(rows).map((reporter) => [reporter, 0]))
  for (let index = 0; index < Math.max(...Object.values(rows)); index++) {
    for (const [reporter, wanted] of Object.entries(rows)) {
      if (index >= wanted || guard.admit(account(reporter)) !== 'own') continue
      guard.charge(account(reporter), row)
      got[reporter] = (got[reporter] ?? 0) + 1
    }
  }
  return got
}

describe("of a window's keys", () => {
  const [inAll, perReporter] = [1000, 200]
  const open = (): KeyGuard => new KeyGuard({ perReporter, inAll }).begin(0)
  const made = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`Made.Up${index}`, 1]))
  const sum = (got: Record<string, number>): number => Object.values(got).reduce((a, b) => a + b, 0)

  test.each([1, 2, 9])('%s strangers that make servers up leave a part to a new server, and to a stranger that comes later', (count) => {
    const guard = open()
    want(guard, made, (server) => accountOf(server, `10.0.0.${Number(server.slice(7)) % count}`))
    const few = Math.floor(inAll / (3 * count + 1) / 4)
    expect(want(guard, { 'Bank.Vault': few })['Bank.Vault']).toBe(few)
    expect(want(guard, { 'Bank.Vault': few }, (server) => accountOf(server, '10.0.1.1'))['Bank.Vault']).toBe(few)
  })

  test('one address has three quarters, a name there no more than any other, and that of a server elsewhere is not touched', () => {
    const guard = open()
    const from = (server: string): Account => accountOf(server, '10.0.0.9')
    expect(want(guard, { 'Bank.Vault': 1000 }, from)['Bank.Vault']).toBe(perReporter)
    expect(want(guard, { 'Bank.Vault': 100 })['Bank.Vault']).toBe(100)
    expect(sum(want(open(), made, from))).toBe(750)
  })

  test('several servers that flood it leave a part, too', () => {
    const guard = open()
    want(guard, Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`Evil.Pod${index}`, 1000])))
    expect(want(guard, { 'Bank.Vault': 10 })['Bank.Vault']).toBe(10)
  })

  test('the next window has room again', () => {
    const guard = open()
    const from = (server: string): Account => accountOf(server, '10.0.0.9')
    expect([sum(want(guard, made, from)), sum(want(guard.begin(60_000), made, from))]).toEqual([750, 750])
  })
})

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

  test('many servers together have what there is, and the rest of them is one', () => {
    const guard = open()
    let rows = 0
    for (let minute = 0; minute < 24 * 60; minute++) {
      guard.begin(minute * 60_000)
      for (let index = 0; index < 200; index++) {
        const server = accountOf(`Made.Up${minute}-${index}`)
        const admission = guard.admit(server)
        expect(admission).toBeOneOf(['own', 'rest of all'])
        if (admission === 'own') guard.charge(server, row)
        rows += Number(admission === 'own')
      }
    }
    expect(rows * row).toBeGreaterThan(bytesADay)
    expect(rows * row).toBeLessThan(bytesADay * 1.27)
  })

  test('one stranger that makes servers up has half of what there is, a minute after the other; a new server, and another stranger, have all they want', () => {
    const guard = open()
    const from = (sender: string) => (server: string): Account => accountOf(server, sender)
    const made = (minute: number) => Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`Made.Up${minute}-${index}`, 1]))
    let rows = 0
    for (let minute = 0; minute < 10; minute++) rows += Object.values(want(guard.begin(minute * 60_000), made(minute), from('10.0.0.9'))).reduce((sum, got) => sum + got, 0)
    expect(Math.abs(rows / (room / row / 2) - 1)).toBeLessThan(0.03)
    expect(want(guard, { 'Bank.Vault': 100 })['Bank.Vault']).toBe(100)
    expect(want(guard, { 'Bank.Vault': 100, 'Evil.Pod': 100 }, from('10.0.0.8'))).toEqual({ 'Bank.Vault': 100, 'Evil.Pod': 100 })
  })

  test('of what one address may take one name leaves some to others there', () => {
    const guard = open().begin(0)
    const from = (server: string): Account => accountOf(server, '10.0.0.9')
    expect(Math.abs((want(guard, { 'Evil.Pod': 20_000 }, from)['Evil.Pod'] ?? 0) - room / row / 3)).toBeLessThanOrEqual(1)
    expect(want(guard, { 'Bank.Vault': 1000 }, from)['Bank.Vault']).toBe(1000)
  })

  test('a process goes on where the one before it was, less what time has forgotten', () => {
    const flood = (guard: KeyGuard, now: number): readonly number[] => [
      want(guard.begin(now), { 'Evil.Pod': 20_000 })['Evil.Pod'] ?? 0,
      want(guard, { 'Made.Up': 20_000 }, (server) => accountOf(server, '10.0.0.9'))['Made.Up'] ?? 0,
    ]
    const before = open()
    // What one has and all have is as much as there is; and what the other has twice, and all have.
    expect(flood(before, 0)).toEqual([5000, 1667])
    const ledger = JSON.parse(JSON.stringify(before.ledger(5000))) as Ledger
    const kept = [5000 / Math.E, 1667 / Math.E] as const
    const evil = (room / row - kept[1]) / 2 - kept[0]
    const later = [evil, (room / row - kept[0] - evil - kept[1] * 3) / 3]
    for (const [ms, expected] of [[0, [0, 0]], [-hourMs, [0, 0]], [6 * hourMs, later], [1000 * hourMs, [5000, 1667]]] as const) {
      const after = open()
      after.goOn(ledger, { now: () => 5000 + ms, monotonic: () => hourMs })
      for (const [index, more] of flood(after, hourMs).entries()) expect(Math.abs(more - (expected[index] ?? 0))).toBeLessThanOrEqual(2)
    }
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
