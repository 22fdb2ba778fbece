// Words of nodes on their way to the API server: order, coalescing, retries, and when the pod speaks for itself again.
import { describe, expect, test } from 'vitest'
import { systemClock } from '#base/clock.ts'
import { silentLogger } from '#base/log.ts'
import { KubeError } from '#kube/errors.ts'
import { Directory } from '../../framework/registry/model/directory.ts'
import type { PodCondition } from '../../framework/registry/model/pod-state.ts'
import type { ServantView } from '../../framework/registry/model/views.ts'
import { Reports } from '../../framework/registry/reports.ts'
import { until } from './cluster.ts'
import { Gate, noon, podWith, setup, state, timeAt } from './reports-rig.ts'

describe('reports', () => {
  test('count at once; of what comes during a write only the last is written', async () => {
    const { gate, reports, isActive } = setup()
    reports.accept(podWith([], '1'), state('Active'))
    expect(isActive()).toBe(true)
    for (const present of ['Deactivating', 'Inactive', 'Activating']) reports.accept(podWith([], '1'), state(present))
    expect(isActive()).toBe(false)
    expect(gate.reasons()).toEqual(['Active/Active/1'])
    gate.writes[0]?.end(podWith([], '2'))
    await until(() => gate.writes.length === 2)
    expect(gate.reasons()[1]).toBe('Active/Activating/1')
    gate.writes[1]?.end(podWith([], '3'))
    await reports.idle()
    expect(gate.writes.length).toBe(2)
  })

  test('an old event of the watch does not take a word back, a newer one does', async () => {
    const { gate, reports, see, isActive } = setup()
    reports.accept(podWith([], '1'), state('Active'))
    gate.writes[0]?.end(podWith([gate.writes[0].condition], '10'))
    await reports.idle()
    see(podWith([], '9'))
    expect(isActive()).toBe(true)
    see(podWith([{ type: 'tars.io/active', status: 'False', reason: 'Active/Inactive/1' }], '11'))
    expect(isActive()).toBe(false)
  })

  test('the watch may be faster than the answer', async () => {
    const { gate, reports, see, isActive } = setup()
    reports.accept(podWith([], '1'), state('Active'))
    const written = podWith([gate.writes[0]?.condition as PodCondition], '10')
    see(written)
    gate.writes[0]?.end(written)
    await reports.idle()
    // The pod speaks for itself: a change by somebody else counts.
    see(podWith([{ type: 'tars.io/active', status: 'False', reason: 'Active/Inactive/1' }], '11'))
    expect(isActive()).toBe(false)
  })

  test('what the pod says already is not written', () => {
    const { gate, reports, see } = setup()
    see(podWith([{ type: 'tars.io/active', status: 'True', reason: 'Active/Active/1', message: '' }], '2'))
    reports.accept(podWith([], '1'), state('Active'))
    expect(gate.writes).toEqual([])
  })

  test('a failing write is tried again with what is true by then', async () => {
    const { gate, reports } = setup()
    reports.accept(podWith([], '1'), state('Activating'))
    reports.accept(podWith([], '1'), state('Active'))
    gate.writes[0]?.end(new KubeError('away', { status: 503, reason: 'ServiceUnavailable' }))
    await until(() => gate.writes.length === 2)
    expect(gate.reasons()[1]).toBe('Active/Active/1')
    gate.writes[1]?.end(podWith([], '2'))
    await reports.idle()
    expect(gate.writes.length).toBe(2)
  })

  /** A pod that shows a word of that time. */
  const shows = (reason: string, second: number, resourceVersion: string, uid = 'u') => podWith([{ type: 'tars.io/active', status: reason.startsWith('Active/Active/') ? 'True' : 'False', reason, message: '', lastProbeTime: new Date(second * 1000).toISOString() }], resourceVersion, { uid })

  test('a word that was put off gives way to a later one, which another registry has written meanwhile', async () => {
    const { gate, reports, see, isActive } = setup(shows('Active/Inactive/2', 101, '5'))
    reports.accept(podWith([], '1'), { ...state('Active'), saidAt: 100 })
    gate.writes[0]?.end(new KubeError('away', { status: 503, reason: 'ServiceUnavailable' }))
    await reports.idle()
    expect(gate.reasons()).toEqual(['Active/Active/1'])
    see(shows('Active/Inactive/2', 101, '5'))
    expect(isActive()).toBe(false)
  })

  test('one that was on its way to the API server while another registry has written a later one does not come in its place', async () => {
    const { gate, reports, see, isActive } = setup(shows('Active/Inactive/2', 101, '5'))
    reports.accept(podWith([], '1'), { ...state('Active'), saidAt: 100 })
    expect(gate.writes[0]).toMatchObject({ uid: 'u', resourceVersion: '1' })
    gate.writes[0]?.end(new KubeError('no', { status: 409, reason: 'Conflict' }))
    await reports.idle()
    expect(gate.reasons()).toEqual(['Active/Active/1'])
    see(shows('Active/Inactive/2', 101, '5'))
    expect(isActive()).toBe(false)
  })

  test('one that says no time and follows within the second is later, though the watch has not shown the one before', async () => {
    const { gate, reports } = setup(shows('Active/Activating/1', noon, '5'), { now: () => noon * 1000, monotonic: () => 0 })
    reports.accept(podWith([], '1'), state('Activating'))
    gate.writes[0]?.end(shows('Active/Activating/1', noon, '5'))
    await reports.idle()
    reports.accept(podWith([], '1'), state('Active'))
    gate.writes[1]?.end(new KubeError('no', { status: 409, reason: 'Conflict' }))
    await until(() => gate.writes.length === 3)
    expect(gate.writes[2]).toMatchObject({ resourceVersion: '5', condition: { reason: 'Active/Active/1', lastProbeTime: timeAt(noon + 1) } })
    gate.writes[2]?.end(shows('Active/Active/1', noon + 1, '6'))
    await reports.idle()
  })

  test('over an earlier one it is written, as long as nobody else writes', async () => {
    const now = shows('Active/Inactive/2', 99, '5')
    const { gate, reports, isActive } = setup(now)
    reports.accept(podWith([], '1'), { ...state('Active'), saidAt: 100 })
    gate.writes[0]?.end(new KubeError('away', { status: 503, reason: 'ServiceUnavailable' }))
    await until(() => gate.writes.length === 2)
    gate.writes[1]?.end(new KubeError('no', { status: 409, reason: 'Conflict' }))
    await until(() => gate.writes.length === 3)
    expect(gate.writes.map(({ uid, resourceVersion }) => [uid, resourceVersion])).toEqual([['u', '1'], ['u', '5'], ['u', '5']])
    gate.writes[2]?.end(shows('Active/Active/1', 100, '6'))
    await reports.idle()
    expect(isActive()).toBe(true)
  })

  test('one that says no time is the latest, whatever clock an earlier one had', async () => {
    const { gate, reports, see } = setup()
    see(shows('Active/Active/1', 5_000_000_000, '2'))
    expect(reports.accept(podWith([], '1'), state('Inactive'))).toBeUndefined()
    expect(gate.writes[0]?.condition).toMatchObject({ reason: 'Active/Inactive/1', lastProbeTime: timeAt(5_000_000_001) })
  })

  test.each([['before', 99], ['at']])('one that comes late, said %s what the pod shows or was told here, is not taken', (_when, saidAt = 100) => {
    const { gate, reports, see, isActive } = setup()
    see(shows('Active/Inactive/1', 100, '2'))
    expect(reports.accept(podWith([], '1'), { ...state('Active'), saidAt })).toBe(100)
    expect(gate.writes).toEqual([])
    reports.accept(podWith([], '1'), { ...state('Activating'), saidAt: 200 })
    expect(reports.accept(podWith([], '1'), { ...state('Active'), saidAt: saidAt + 100 })).toBe(200)
    expect(gate.reasons()).toEqual(['Active/Activating/1'])
    expect(isActive()).toBe(false)
  })

  test('one of the pod before that comes late does not come in the place of what the next one has told', () => {
    const { gate, reports } = setup()
    reports.accept(podWith([], '5', { uid: 'next' }), { ...state('Active'), saidAt: 200 })
    expect(reports.accept(podWith([], '1'), { ...state('Inactive'), saidAt: 100 })).toBe(200)
    expect(gate.writes).toMatchObject([{ uid: 'next', condition: { reason: 'Active/Active/1' } }])
  })

  test('nor does one that was said before the pod was made, which another of its name and address has told', () => {
    const { gate, reports } = setup()
    const next = podWith([], '5', { uid: 'next', made: noon })
    expect(reports.accept(next, { ...state('Active'), saidAt: noon - 1 })).toBe(noon - 1)
    expect(gate.writes).toEqual([])
    expect(reports.accept(next, { ...state('Active'), saidAt: noon })).toBeUndefined()
    expect(gate.reasons()).toEqual(['Active/Active/1'])
  })

  test('it stays that of its pod when the API server shows one before that in the place of the first', async () => {
    const { gate, reports } = setup(podWith([], '5', { uid: 'second' }))
    reports.accept(podWith([], '1'), { ...state('Inactive'), saidAt: 100 })
    reports.accept(podWith([], '9', { uid: 'third' }), { ...state('Active'), saidAt: 200 })
    gate.writes[0]?.end(new KubeError('no', { status: 409, reason: 'Conflict' }))
    await until(() => gate.writes.length === 2)
    expect(gate.writes[1]).toMatchObject({ uid: 'third', condition: { reason: 'Active/Active/1' } })
    gate.writes[1]?.end(podWith([], '10', { uid: 'third' }))
    await reports.idle()
  })

  test('an earlier word in the place of what the pod said before is replaced by the later; what is no word is left', async () => {
    const { gate, reports, see } = setup()
    see(shows('Active/Active/1', 100, '2'))
    reports.accept(podWith([], '1'), { ...state('Active'), saidAt: 110 })
    expect(gate.writes).toEqual([])
    // As the runner of pods does when a container starts again.
    see(shows('Active/Inactive/0', 100, '3'))
    expect(gate.writes).toEqual([])
    see(shows('Active/Activating/1', 105, '4'))
    expect(gate.writes[0]?.condition).toMatchObject({ reason: 'Active/Active/1', lastProbeTime: new Date(110_000).toISOString().replace('.000', '') })
  })

  test('so it is while a word of the pod before is still being written', () => {
    const { gate, reports, see, isActive } = setup()
    reports.accept(podWith([], '1'), { ...state('Activating'), saidAt: 10 })
    const next = shows('Active/Inactive/1', 20, '2', 'next')
    see(next)
    reports.accept(next, { ...state('Inactive'), saidAt: 30 })
    see(shows('Active/Active/1', 25, '3', 'next'))
    expect(isActive()).toBe(false)
    expect(gate.writes).toHaveLength(1)
  })

  test.each([['gone', undefined, 404, 'NotFound'], ['another by now', podWith([], '5', { uid: 'next', podIP: '10.0.0.2' }), 409, 'Conflict']])('a pod that is %s is forgotten', async (_what, now, status, reason) => {
    const { gate, reports, isActive } = setup(now)
    reports.accept(podWith([], '1'), state('Active'))
    gate.writes[0]?.end(new KubeError('no', { status: 409, reason: 'Conflict' }))
    await until(() => gate.writes.length === 2)
    gate.writes[1]?.end(new KubeError('no', { status, reason }))
    await reports.idle()
    expect(isActive()).toBe(false)
  })

  test('a word of the next pod of a name, told before the watch has shown it, is written for that one', async () => {
    const next = podWith([], '5', { uid: 'next' })
    const { gate, reports } = setup(next)
    reports.accept(podWith([], '1'), state('Active'))
    for (const number of [0, 1]) {
      await until(() => gate.writes.length > number)
      gate.writes[number]?.end(new KubeError('no', { status: 409, reason: 'Conflict' }))
    }
    await until(() => gate.writes.length === 3)
    expect(gate.writes.map(({ uid, condition }) => [uid, condition.reason])).toEqual([['u', 'Active/Active/1'], ['u', 'Active/Active/1'], ['next', 'Active/Active/1']])
    gate.writes[2]?.end(podWith([], '6', { uid: 'next' }))
    await reports.idle()
  })

  test('unless that one has told another registry more since', async () => {
    const { gate, reports, see, isActive } = setup(shows('Active/Inactive/2', 101, '5', 'next'))
    reports.accept(podWith([], '1'), { ...state('Active'), saidAt: 100 })
    for (const number of [0, 1]) {
      await until(() => gate.writes.length > number)
      gate.writes[number]?.end(new KubeError('no', { status: 409, reason: 'Conflict' }))
    }
    await reports.idle()
    expect(gate.writes.map(({ uid }) => uid)).toEqual(['u', 'u'])
    see(shows('Active/Inactive/2', 101, '5', 'next'))
    expect(isActive()).toBe(false)
  })

  test('a word that is not written yet is of the next pod when that comes with the same address, and until then nobody else', async () => {
    const next = podWith([], '5', { uid: 'next' })
    const { gate, reports, see, seeGone, isActive } = setup(next)
    see(shows('Active/Active/1', 100, '2'))
    reports.accept(podWith([], '1'), { ...state('Inactive'), saidAt: 101 })
    seeGone(podWith([], '4'))
    see(shows('Active/Active/1', 100, '5', 'next'))
    expect(isActive()).toBe(false)
    gate.writes[0]?.end(new KubeError('away', { status: 503, reason: 'ServiceUnavailable' }))
    await until(() => gate.writes.length === 2)
    expect(gate.writes[1]).toMatchObject({ uid: 'next', resourceVersion: '5', condition: { reason: 'Active/Inactive/1' } })
    gate.writes[1]?.end(shows('Active/Inactive/1', 101, '6', 'next'))
    await reports.idle()
  })

  test.each([['another address', { uid: 'next', podIP: '10.0.0.2' }, 99], ['more to tell', { uid: 'next' }, 101]])('but not when that has %s', async (_what, more, second) => {
    const reason = 'Active/Active/2'
    const { gate, reports, see, seeGone, isActive } = setup()
    reports.accept(podWith([], '1'), { ...state('Inactive'), saidAt: 100 })
    seeGone(podWith([], '4'))
    see(podWith([{ type: 'tars.io/active', status: 'True', reason, message: '', lastProbeTime: new Date(second * 1000).toISOString() }], '5', more))
    expect(isActive()).toBe(true)
    gate.writes[0]?.end(new KubeError('no', { status: 404, reason: 'NotFound' }))
    await reports.idle()
    expect([isActive(), gate.writes.length]).toEqual([true, 1])
  })

  const away = () => new KubeError('away', { status: 503, reason: 'ServiceUnavailable' })
  const at = (second: number) => ({ now: () => second * 1000, monotonic: () => second * 1000 })

  test('nor when it came before that one was made: it is not given out by it', async () => {
    const next = podWith([], '5', { uid: 'next', made: noon })
    const { gate, reports, see, seeGone, isActive } = setup(next, at(noon - 3))
    reports.accept(podWith([], '1'), state('Active'))
    seeGone(podWith([], '4'))
    see(next)
    expect(isActive()).toBe(false)
    gate.writes[0]?.end(away())
    await reports.idle()
    expect([isActive(), gate.writes.length]).toEqual([false, 1])
  })

  test('nor is it written for that one when the API server says that the pod is another by now', async () => {
    const { gate, reports, isActive } = setup(podWith([], '5', { uid: 'next', made: noon }), at(noon - 3))
    reports.accept(podWith([], '1'), state('Active'))
    for (const number of [0, 1]) {
      await until(() => gate.writes.length > number)
      gate.writes[number]?.end(new KubeError('no', { status: 409, reason: 'Conflict' }))
    }
    await reports.idle()
    expect([isActive(), gate.writes.map(({ uid }) => uid)]).toEqual([false, ['u', 'u']])
  })

  test('one that came when that was made, as near as the clock of the API server is known, may be its own', async () => {
    const next = podWith([], '5', { uid: 'next', made: noon })
    const { gate, reports, see, seeGone, isActive } = setup(next, at(noon - 1))
    reports.accept(podWith([], '1'), state('Active'))
    seeGone(podWith([], '4'))
    see(next)
    expect(isActive()).toBe(true)
    gate.writes[0]?.end(away())
    await until(() => gate.writes.length === 2)
    expect(gate.writes[1]).toMatchObject({ uid: 'next' })
    gate.writes[1]?.end(podWith([], '6', { uid: 'next' }))
    await reports.idle()
  })

  describe.each([['fails', away()], ['is refused, as the pod is another by now', new KubeError('no', { status: 409, reason: 'Conflict' })]])('one of the next pod, told before the watch has shown it, when its write %s', (_how, failure) => {
    test.each(['while', 'before'])('%s the watch shows it without an address: it counts once it has that', async (when) => {
      const bare = podWith([], '5', { uid: 'next', podIP: '', made: noon })
      const { gate, reports, see, seeGone, isActive } = setup(bare, at(noon + 1))
      reports.accept(podWith([], '1'), state('Active'))
      const fail = async (): Promise<void> => {
        for (const number of [0, 1]) {
          await until(() => gate.writes.length > number)
          gate.writes[number]?.end(number === 0 ? failure : new KubeError('no', { status: 409, reason: 'Conflict' }))
        }
        await reports.idle()
      }
      if (when === 'before') await fail()
      seeGone(podWith([], '4'))
      see(bare)
      expect(isActive()).toBe(false)
      if (when === 'while') await fail()
      expect(isActive()).toBe(false)
      see(podWith([], '6', { uid: 'next', made: noon }))
      expect(isActive()).toBe(true)
      expect(gate.writes.at(-1)).toMatchObject({ uid: 'next', resourceVersion: '6', condition: { reason: 'Active/Active/1' } })
      gate.writes.at(-1)?.end(podWith([], '7', { uid: 'next', made: noon }))
      await reports.idle()
    })
  })

  test('a word of the next pod is not forgotten with that of the one before', async () => {
    const next = podWith([], '5', { uid: 'next', podIP: '10.0.0.2' })
    const { gate, reports } = setup(next)
    reports.accept(podWith([], '1'), state('Active'))
    gate.writes[0]?.end(new KubeError('no', { status: 409, reason: 'Conflict' }))
    await until(() => gate.writes.length === 2)
    reports.accept(next, state('Activating'))
    gate.writes[1]?.end(new KubeError('no', { status: 409, reason: 'Conflict' }))
    await until(() => gate.writes.length === 3)
    expect(gate.writes[2]).toMatchObject({ uid: 'next', resourceVersion: '5', condition: { reason: 'Active/Activating/1' } })
    gate.writes[2]?.end(podWith([], '6', { uid: 'next', podIP: '10.0.0.2' }))
    await reports.idle()
  })

  test('nor is it the word of the next one when that has another address', async () => {
    const { gate, reports, isActive } = setup(podWith([], '5', { uid: 'next', podIP: '10.0.0.2' }))
    reports.accept(podWith([], '1'), state('Active'))
    for (const number of [0, 1]) {
      await until(() => gate.writes.length > number)
      gate.writes[number]?.end(new KubeError('no', { status: 409, reason: 'Conflict' }))
    }
    await reports.idle()
    expect([gate.writes.length, isActive()]).toEqual([2, false])
  })

  test('it does not go with the pod before it', async () => {
    const next = podWith([], '5', { uid: 'next' })
    const { gate, reports, see, seeGone, isActive } = setup()
    reports.accept(next, state('Active'))
    seeGone(podWith([], '1'))
    see(next)
    expect(isActive()).toBe(true)
    gate.writes[0]?.end(podWith([], '6', { uid: 'next' }))
    await reports.idle()
    seeGone(next)
    see(podWith([], '7', { uid: 'third', made: 4_000_000_000 }))
    expect(isActive()).toBe(false)
  })

  test.each([['had been said by the one before', true], ['had been taken for one of the one before, which was being written', false]])('one of the next pod is not lost when the same %s', async (_what, isShown) => {
    const next = podWith([], '5', { uid: 'next', made: noon })
    const { gate, reports, see, seeGone } = setup(next)
    if (isShown) see(shows('Active/Active/1', noon - 9, '2'))
    reports.accept(podWith([], '1'), { ...state('Active'), saidAt: noon - 5 })
    if (!isShown) gate.writes[0]?.end(shows('Active/Active/1', noon - 5, '3'))
    await reports.idle()
    reports.accept(podWith([], '1'), { ...state('Active'), saidAt: noon + 1 })
    seeGone(podWith([], '4'))
    see(next)
    expect(gate.writes.at(-1)).toMatchObject({ uid: 'next', condition: { reason: 'Active/Active/1', lastProbeTime: timeAt(noon + 1) } })
  })

  test('but what the one before said is not taken for its word', async () => {
    const next = podWith([], '5', { uid: 'next', made: noon })
    const { gate, reports, see, seeGone } = setup(next)
    see(shows('Active/Active/1', noon - 9, '2'))
    reports.accept(podWith([], '1'), { ...state('Active'), saidAt: noon - 5 })
    seeGone(podWith([], '4'))
    see(next)
    expect(gate.writes).toEqual([])
  })

  test('not more writes at once than allowed', async () => {
    const gate = new Gate()
    const directory = new Directory<ServantView>({ hostForm: 'dns', prepare: (view) => view })
    const reports = new Reports({ directory, clock: systemClock, log: silentLogger, write: gate.write, fetch: async () => undefined, concurrency: 2 })
    for (const name of ['a', 'b', 'c', 'd', 'e']) reports.accept({ metadata: { name } }, state('Active'))
    for (let done = 0; done < 5; done++) {
      await until(() => gate.writes.length > done)
      expect(gate.writes.length).toBeLessThanOrEqual(done + 2)
      gate.writes[done]?.end(podWith([], '2'))
    }
    await reports.idle()
  })
})
