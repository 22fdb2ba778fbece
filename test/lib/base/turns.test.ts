// So many at once, one owner after the other.
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { PartedTurns, Turns } from '#base/turns.ts'

test('so many at once; who has much waits for itself, and what fails makes room as well', async () => {
  const turns = new Turns(2)
  const begun: string[] = []
  const ends: (() => void)[] = []
  const take = (owner: string, name: string) => turns.take(owner, () => new Promise<string>((resolve, reject) => {
    begun.push(name)
    ends.push(() => (name === 'a2' ? reject(new Error(name)) : resolve(name)))
  }))
  const all = [take('a', 'a1'), take('a', 'a2'), take('a', 'a3'), take('a', 'a4'), take('b', 'b1')]
  const done = Promise.allSettled(all)
  expect(begun).toEqual(['a1', 'a2'])
  for (let count = 0; count < 5; count++) {
    ends[count]?.()
    await turn()
  }
  expect(begun).toEqual(['a1', 'a2', 'a3', 'b1', 'a4'])
  expect((await done).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'])
})

test('where each has some at once, others begin while what one has takes long, and one with too much is refused', async () => {
  const turns = new PartedTurns({ inAll: 3, perOwner: 2, mostOfOwner: 4 })
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const take = (name: string) => turns.take(name.slice(0, 1), () => new Promise<string>((resolve) => {
    begun.push(name)
    ends.set(name, () => resolve(name))
  }))
  const all = ['a1', 'a2', 'a3', 'a4', 'b1'].map(take)
  await turn()
  expect(begun).toEqual(['a1', 'a2', 'b1'])
  await expect(take('a5')).rejects.toMatchObject({ code: 'TURNS_BUSY', temporary: true })
  // In all there is no room; then it is the turn of who waits.
  all.push(take('b2'), take('c1'))
  for (const [ended, expected] of [['a1', ['b2']], ['b1', ['c1']], ['a2', ['a3']], ['b2', ['a4']]] as const) {
    const before = begun.length
    ends.get(ended)?.()
    await turn()
    expect([ended, begun.slice(before)]).toEqual([ended, expected])
  }
  for (const end of ends.values()) end()
  expect(await Promise.all(all)).toEqual(['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'])
  void take('a6')
  expect(begun.at(-1)).toBe('a6')
})
