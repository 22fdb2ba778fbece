import { expect, test } from 'vitest'
import { Lifetime } from '#base/lifecycle.ts'

test('what was added last is cleaned up first, each once', async () => {
  const order: string[] = []
  const life = new Lifetime()
  for (const name of ['a', 'b']) life.onStop(() => order.push(name))
  await Promise.all([life.stop(), life.stop()])
  expect(order).toEqual(['b', 'a'])
})

test('a part that was still starting when it was stopped is stopped when it comes', async () => {
  const life = new Lifetime()
  await life.stop()
  await new Promise<void>((resolve) => life.own({ stop: async () => resolve(), done: new Promise(() => {}) }))
})
