import { expect, it } from 'vitest'
import { systemClock } from '#base/clock.ts'
import { HeartbeatWatch } from '../../node/service/heartbeat-watch.ts'

it('counts the time in which nobody could listen for nobody', async () => {
  const overdue = Promise.withResolvers<readonly string[]>()
  const watch = new HeartbeatWatch(systemClock, overdue.resolve)
  const timeoutMs = 300
  watch.begin(['A'], { timeoutMs, firstMs: timeoutMs })
  // The process stands still far longer than a service may be silent; what it sent meanwhile is heard after the first timers.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000)
  const heard = Promise.withResolvers<number>()
  setTimeout(() => (watch.beat(''), heard.resolve(systemClock.monotonic())), 0)
  expect(await overdue.promise).toEqual(['A', 'AdminAdapter'])
  expect(systemClock.monotonic() - (await heard.promise)).toBeGreaterThanOrEqual(timeoutMs - 1)
  watch.end()
})
