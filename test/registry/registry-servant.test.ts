// Who may tell the state of a pod, and what becomes of a word whose pod is not known yet.
import { describe, expect, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { CallerCheck, noCallers, uncheckedCallers } from '#kube/caller-check.ts'
import { KubeError } from '#kube/errors.ts'
import type { Current } from '#tars/server.ts'
import type { PodObject } from '../../framework/registry/model/pod-state.ts'
import { registryServant } from '../../framework/registry/registry-servant.ts'
import { podWith, setup, timeAt } from './reports-rig.ts'

const unchecked = new CallerCheck({ ...uncheckedCallers, callers: noCallers, log: silentLogger })

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
