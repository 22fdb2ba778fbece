import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Failure } from '#base/errors.ts'
import { silentLogger } from '#base/log.ts'
import { KubeError } from '#kube/errors.ts'
import { TerminalError, startReconciler } from '#kube/reconciler.ts'
import { WorkQueue } from '#kube/work-queue.ts'
import { eventually } from '../../rig/kube.ts'

describe('work queue', () => {
  it('holds a key once, and hands it out again when it was added while worked on', async () => {
    const queue = new WorkQueue()
    for (const key of ['a', 'b', 'a']) queue.add(key)
    expect(queue.size).toBe(2)
    expect(await queue.take()).toBe('a')
    queue.add('a')
    expect(queue.size).toBe(1)
    expect(await queue.take()).toBe('b')
    queue.finished('a')
    expect(await queue.take()).toBe('a')
    for (const key of ['a', 'b']) queue.finished(key)
    expect(queue.idle).toBe(true)
  })
  it('wakes a waiting worker, and lets it go when closed', async () => {
    const queue = new WorkQueue()
    const first = queue.take()
    queue.add('x')
    expect(await first).toBe('x')
    const second = queue.take()
    queue.close()
    expect(await second).toBeUndefined()
    queue.add('y')
    expect(await queue.take()).toBeUndefined()
  })
  it('of several delays takes the earliest, and an add overtakes them', async () => {
    const queue = new WorkQueue()
    queue.addAfter('k', 600_000)
    queue.addAfter('k', 5)
    queue.addAfter('k', 600_000)
    expect(await queue.take()).toBe('k')
    queue.finished('k')
    queue.addAfter('k', 600_000)
    queue.add('k')
    expect(await queue.take()).toBe('k')
    queue.finished('k')
    expect(queue.idle).toBe(true)
  })
  it('grows the delay of each key by itself until it succeeds', () => {
    const queue = new WorkQueue({ baseMs: 100, capMs: 1000 })
    const delays = Array.from({ length: 6 }, () => queue.addRateLimited('bad'))
    delays.forEach((delay, index) => {
      const whole = Math.min(1000, 100 * 2 ** index)
      expect(delay).toBeGreaterThanOrEqual(whole / 2)
      expect(delay).toBeLessThanOrEqual(whole)
    })
    expect(queue.addRateLimited('good')).toBeLessThanOrEqual(100)
    queue.forget('bad')
    expect(queue.addRateLimited('bad')).toBeLessThanOrEqual(100)
    queue.close()
  })
  it('never hands a key to two workers, and loses none', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 50 }), async (keys) => {
      const queue = new WorkQueue()
      const active = new Set<string>()
      const last = new Map<string, number>()
      const worked = new Map<string, number>()
      let step = 0
      const work = async (): Promise<void> => {
        for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
          expect(active.has(key)).toBe(false)
          active.add(key)
          worked.set(key, step)
          await Promise.resolve()
          active.delete(key)
          queue.finished(key)
        }
      }
      const workers = [work(), work(), work()]
      for (const key of keys) {
        last.set(key, ++step)
        queue.add(key)
        if (step % 3 === 0) await Promise.resolve()
      }
      await eventually(() => queue.idle, 'all is done')
      queue.close()
      await Promise.all(workers)
      for (const [key, at] of last) expect(worked.get(key)).toBeGreaterThanOrEqual(at)
    }))
  })
})

describe('reconciler', () => {
  it('retries failures, obeys requeueAfter, and gives up on what is terminal', async () => {
    const calls: string[] = []
    const reconciler = startReconciler({
      name: 'test', log: silentLogger, baseMs: 1,
      async reconcile(key) {
        calls.push(key)
        const nth = calls.filter((call) => call === key).length
        if (key === 'flaky' && nth < 3) throw new Failure('FLAKY', 'not yet')
        if (key === 'hopeless') throw new TerminalError('HOPELESS', 'never')
        return key === 'again' && nth === 1 ? { requeueAfterMs: 1 } : undefined
      },
    })
    for (const key of ['flaky', 'hopeless', 'again']) reconciler.enqueue(key)
    await eventually(() => reconciler.idle, 'nothing is left')
    await reconciler.stop()
    expect(Map.groupBy(calls, (key) => key)).toMatchObject(new Map([['flaky', ['flaky', 'flaky', 'flaky']], ['hopeless', ['hopeless']], ['again', ['again', 'again']]]))
  })
  it('takes a conflict or a missing object for an error only when it stays', async () => {
    const seen = new Map<string, string[]>()
    const keep = (level: string) => (_message: string, fields: { key?: unknown } = {}) => void seen.set(String(fields.key), [...(seen.get(String(fields.key)) ?? []), level])
    const log = { info: keep('info'), error: keep('error'), child: () => log }
    const left = new Map([['conflict', 5], ['missing', 5], ['other', 2]])
    const failures: Record<string, Error> = {
      conflict: new KubeError('changed', { status: 409, reason: 'Conflict' }), missing: new KubeError('gone', { status: 404, reason: 'NotFound' }), other: new KubeError('bad', { status: 422, reason: 'Invalid' }),
    }
    const reconciler = startReconciler({
      name: 'test', log, baseMs: 1,
      async reconcile(key) {
        const more = left.get(key) ?? 0
        left.set(key, more - 1)
        if (more > 0) throw failures[key]
      },
    })
    for (const key of left.keys()) reconciler.enqueue(key)
    await eventually(() => reconciler.idle, 'nothing is left')
    await reconciler.stop()
    const patient = ['info', 'info', 'info', 'error', 'error']
    expect(Object.fromEntries(seen)).toEqual({ conflict: patient, missing: patient, other: ['error', 'error'] })
  })
  it('lets others in between keys that meet no I/O', async () => {
    const keys = 200
    let worked = 0
    const reconciler = startReconciler({
      name: 'test', log: silentLogger,
      async reconcile() {
        worked++
        for (const until = performance.now() + 1; performance.now() < until;);
      },
    })
    for (let key = 0; key < keys; key++) reconciler.enqueue(String(key))
    await new Promise((resolve) => setTimeout(resolve, 1))
    expect(worked).toBeLessThan(keys)
    await eventually(() => reconciler.idle, 'all is done')
    expect(worked).toBe(keys)
    await reconciler.stop()
  })
  it('stops after the work under way, which hears of it', async () => {
    const started = Promise.withResolvers<void>()
    let ended = false
    const reconciler = startReconciler({
      name: 'test', log: silentLogger,
      async reconcile(_key, signal) {
        started.resolve()
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        ended = true
      },
    })
    reconciler.enqueue('slow')
    await started.promise
    await reconciler.stop()
    expect(ended).toBe(true)
  })
})
