// So many at once, one owner after the other.
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Turns } from '#base/turns.ts'

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
