// Words of nodes on their way to the API server: order, coalescing, retries, and when the pod speaks for itself again.
import { describe, expect, test } from 'vitest'
import { systemClock } from '#base/clock.ts'
import { silentLogger } from '#base/log.ts'
import { KubeError } from '#kube/errors.ts'
import { CallerCheck, noCallers, uncheckedCallers } from '#kube/caller-check.ts'
import type { Current } from '#tars/server.ts'
import { Directory } from '../../framework/registry/model/directory.ts'
import type { ServantView } from '../../framework/registry/model/views.ts'
import type { PodCondition, PodObject, ReportedState } from '../../framework/registry/model/pod-state.ts'
import { registryServant } from '../../framework/registry/registry-servant.ts'
import { Reports, type WriteConditions } from '../../framework/registry/reports.ts'
import { until } from './cluster.ts'

const unchecked = new CallerCheck({ ...uncheckedCallers, callers: noCallers, log: silentLogger })
const state = (present: string): ReportedState => ({ setting: 'Active', present, pid: '1', message: '' })
/** Seconds that the API server's clock shows in tests that say so. */
const noon = 1_800_000_000
const timeAt = (second: number): string => new Date(second * 1000).toISOString().replace('.000', '')
const podWith = (conditions: readonly PodCondition[], resourceVersion: string, { uid = 'u', podIP = '10.0.0.1', made = undefined as number | undefined } = {}): PodObject => ({ metadata: { name: 'p', uid, resourceVersion, ...(made === undefined ? {} : { creationTimestamp: timeAt(made) }), labels: { 'tars.io/ServerApp': 'A', 'tars.io/ServerName': 'B' } }, status: { conditions, podIP } })

/** A write that ends when it is told to. */
class Gate {
  readonly writes: { readonly uid: string | undefined; readonly resourceVersion: string | undefined; readonly condition: PodCondition; readonly end: (result: PodObject | Error) => void }[] = []
  readonly write: WriteConditions = ({ uid, resourceVersion }, [condition]) =>
    new Promise((resolve, reject) => this.writes.push({ uid, resourceVersion, condition: condition as PodCondition, end: (result) => (result instanceof Error ? reject(result) : resolve(result)) }))

  reasons(): (string | undefined)[] {
    return this.writes.map(({ condition }) => condition.reason)
  }
}

function setup(now?: PodObject, clock = systemClock) {
  const gate = new Gate()
  const directory = new Directory<ServantView>({ hostForm: 'dns', prepare: (view) => view })
  directory.setEndpoint({ metadata: { name: 'a-b' }, spec: { app: 'A', server: 'B', tars: { servants: [{ name: 'O', port: 1, isTcp: true, timeout: 1 }] } } } as never)
  directory.setPod(podWith([], '1'))
  const reports = new Reports({ directory, clock, log: silentLogger, write: gate.write, fetch: async () => now })
  const see = (pod: PodObject) => {
    directory.setPod(pod)
    reports.observe(pod)
  }
  const seeGone = (pod: PodObject) => {
    directory.removePod(pod)
    reports.observeGone(pod)
  }
  return { gate, directory, reports, see, seeGone, isActive: () => directory.find('A.B.O').active.length === 1 }
}

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
    see(podWith([], '7', { uid: 'third' }))
    expect(isActive()).toBe(false)
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

test('one address that names ever new pods has few of them looked up, and others are heard', async () => {
  const { directory, reports } = setup()
  let asked = 0
  const { updateServerState } = registryServant({
    directory, reports, check: unchecked, descriptors: unchecked, template: () => undefined, log: silentLogger,
    fetchPod: async () => void asked++ as undefined,
  })
  const from = (address: string) => ({ peer: { address }, context: new Map([['PID', '1']]) }) as unknown as Current
  const outcomes = await Promise.allSettled(Array.from({ length: 500 }, async (_, index) => updateServerState(`made-up-${index}`, 'Active', 'Active', from('10.6.6.6'))))
  expect(asked).toBe(20)
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(480)
  await updateServerState('another', 'Active', 'Active', from('10.0.0.7'))
  expect(asked).toBe(21)
})

describe('a node that speaks before the watch has shown its pod', () => {
  const next = podWith([], '5', { uid: 'next', podIP: '10.0.0.2' })
  const current = (more: readonly [string, string][]) => ({ peer: { address: '10.0.0.2' }, context: new Map([['PID', '1'], ...more]) }) as unknown as Current
  function servantThat(fetchPod: () => Promise<PodObject | undefined>) {
    const { gate, directory, reports, see } = setup()
    const { updateServerState } = registryServant({ directory, reports, check: unchecked, descriptors: unchecked, template: () => undefined, fetchPod, log: silentLogger })
    return { gate, see, told: async (more: readonly [string, string][] = [], present = 'Active') => updateServerState('p', 'Active', present, current(more)) }
  }

  test('is heard: the pod is looked up, as the one of its name that is known has another address', async () => {
    const { gate, told } = servantThat(async () => next)
    await told()
    expect(gate.writes.map(({ uid }) => uid)).toEqual(['next'])
  })

  test('is told to say it again while that cannot be done', async () => {
    const { gate, told } = servantThat(() => Promise.reject(new KubeError('away', { status: 503, reason: 'ServiceUnavailable' })))
    await expect(told([['Time', '1']])).rejects.toThrow(/pod p is not known yet/)
    expect(gate.writes).toEqual([])
  })

  const away = () => Promise.reject(new KubeError('away', { status: 503, reason: 'ServiceUnavailable' }))
  const said = (at: number, reason: string): PodObject => podWith([{ type: 'tars.io/active', status: 'False', reason, message: '', lastProbeTime: timeAt(at) }], '6', { uid: 'next', podIP: '10.0.0.2' })

  test('says it once when it says no time: its last word is taken when the pod is seen', async () => {
    const { gate, see, told } = servantThat(away)
    await told([], 'Activating')
    await told()
    see(podWith([], '4', { uid: 'other', podIP: '10.0.0.3' }))
    expect(gate.writes).toEqual([])
    see(next)
    see(next)
    expect(gate.writes).toMatchObject([{ uid: 'next', condition: { reason: 'Active/Active/1' } }])
  })

  test('and not when it is another by then, or has told another registry more', async () => {
    const early = servantThat(async () => podWith([], '4', { uid: 'first', podIP: '' }))
    await early.told()
    early.see(next)
    const late = servantThat(away)
    await late.told([], 'Activating')
    late.see(said(Math.floor(Date.now() / 1000), 'Active/Active/1'))
    expect([early.gate.writes, late.gate.writes]).toEqual([[], []])
  })

  test('is told to say it again when the pod has told another registry more while it was looked up', async () => {
    const lookup = Promise.withResolvers<PodObject>()
    const { gate, directory, reports } = setup()
    const { updateServerState } = registryServant({ directory, reports, check: unchecked, descriptors: unchecked, template: () => undefined, fetchPod: () => lookup.promise, log: silentLogger })
    const tell = (time: number) => Promise.resolve(updateServerState('p', 'Active', 'Active', { peer: { address: '10.0.0.2' }, context: new Map([['PID', '1'], ['Time', String(time)]]), responseContext: new Map() } as unknown as Current))
    const [earlier, later] = [tell(100), tell(102)]
    lookup.resolve(podWith([{ type: 'tars.io/active', status: 'False', reason: 'Active/Inactive/1', message: '', lastProbeTime: new Date(101_000).toISOString() }], '5', { uid: 'next', podIP: '10.0.0.2' }))
    await expect(earlier).rejects.toThrow(/pod p has said more since/)
    await later
    expect(gate.writes).toMatchObject([{ uid: 'next', resourceVersion: '5', condition: { reason: 'Active/Active/1', lastProbeTime: '1970-01-01T00:01:42Z' } }])
  })

  test('is told of what time the latest word is, when its own is not later: it came late, or its clock was set back', async () => {
    const { gate, directory, reports, see } = setup()
    const { updateServerState } = registryServant({ directory, reports, check: unchecked, descriptors: unchecked, template: () => undefined, fetchPod: async () => undefined, log: silentLogger })
    see(podWith([{ type: 'tars.io/active', status: 'False', reason: 'Active/Inactive/1', message: '', lastProbeTime: new Date(101_000).toISOString() }], '2'))
    const responseContext = new Map<string, string>()
    const tell = async (time: number) => updateServerState('p', 'Active', 'Active', { peer: { address: '10.0.0.1' }, context: new Map([['PID', '1'], ['Time', String(time)]]), responseContext } as unknown as Current)
    await expect(tell(100)).rejects.toThrow(/pod p has said more since/)
    expect([...responseContext]).toEqual([['Time', '101']])
    expect(gate.writes).toEqual([])
    await tell(102)
    expect(gate.reasons()).toEqual(['Active/Active/1'])
  })

  test('is refused when it is not the pod', async () => {
    const { gate, told } = servantThat(async () => podWith([], '5', { uid: 'next', podIP: '10.0.0.3' }))
    await told()
    expect(gate.writes).toEqual([])
  })
})
