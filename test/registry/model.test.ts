// The registry's pure parts: states, conditions, the read model against a naive one.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TEndpoint, TTemplate } from '#api/types.ts'
import { isOwnPod } from '../../framework/registry/caller.ts'
import { checkReport, conditionsFor, isConfirmed, plainMessage } from '../../framework/registry/condition.ts'
import { Directory } from '../../framework/registry/model/directory.ts'
import { nativeType, renderProfile } from '#tars/profile.ts'
import type { ServantView } from '../../framework/registry/model/views.ts'
import { essentials, hostOf, isActivePod, isLostPod, stateOfCondition, type PodObject, type ReportedState } from '../../framework/registry/model/pod-state.ts'

const reported = (setting: string, present: string, more: Partial<ReportedState> = {}): ReportedState => ({ setting, present, pid: '1', message: '', ...more })
const gateOf = (status: string, reason: string) => ({ type: 'tars.io/active', status, reason })
/** As the kubelet says it, which has a reason when a pod is not. */
const ready = (status: string) => ({ type: 'Ready', status, ...(status === 'True' ? {} : { reason: 'ReadinessGatesNotReady' }) })
const containers = (status: string) => ({ type: 'ContainersReady', status })

interface Facts {
  readonly conditions?: readonly { type: string; status: string; reason?: string }[]
  readonly gate?: boolean
  readonly leaving?: boolean
  readonly phase?: string
  readonly name?: string
}

function pod({ conditions = [], gate = true, leaving = false, phase = 'Running', name = 'a-b-0' }: Facts): PodObject {
  return {
    metadata: { name, labels: { 'tars.io/ServerApp': 'A', 'tars.io/ServerName': 'B' }, ...(leaving ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: { readinessGates: gate ? [{ conditionType: 'tars.io/active' }] : [] },
    status: { phase, conditions, podIP: '10.0.0.1' },
  }
}

const up = [containers('True'), gateOf('True', 'Active/Active/7')]

describe('active or not (framework-services 1.2, F.3)', () => {
  const rows: readonly [what: string, facts: Facts, report: ReportedState | undefined, active: boolean][] = [
    ['condition Active/Active', { conditions: up }, undefined, true],
    ['the same while Kubernetes has not made it Ready yet', { conditions: [...up, ready('False')] }, undefined, true],
    ['being deleted', { conditions: up, leaving: true }, undefined, false],
    ['being deleted, whatever its node says', { conditions: up, leaving: true }, reported('Active', 'Active'), false],
    ['its container ended: the condition is of the one before', { conditions: [containers('False'), up[1] ?? gateOf('', '')] }, undefined, false],
    ['evicted', { conditions: up, phase: 'Failed' }, undefined, false],
    ['ended', { conditions: up, phase: 'Succeeded' }, undefined, false],
    ['a word newer than the condition: no more', { conditions: up }, reported('Active', 'Deactivating'), false],
    ['a word newer than the condition: now', { conditions: [containers('True'), gateOf('False', 'Active/Activating/7')] }, reported('Active', 'Active'), true],
    ['stopped by command', { conditions: [gateOf('False', 'Inactive/Active/7')] }, undefined, false],
    ['True without a reason of that form', { conditions: [gateOf('True', 'PodRunner')] }, undefined, true],
    ['True with a state that is not active', { conditions: [gateOf('True', 'Active/Activating/7')] }, undefined, false],
    ['a gate and no word yet', { conditions: [ready('False'), containers('True')] }, undefined, false],
    ['no gate, Ready', { gate: false, conditions: [ready('True')] }, undefined, true],
    ['no gate, not Ready', { gate: false, conditions: [ready('False')] }, undefined, false],
    ['no conditions at all', {}, undefined, false],
  ]
  test.each(rows)('%s', (_what, facts, report, active) => {
    expect([pod(facts), essentials(pod(facts))].map((one) => isActivePod(one, report))).toEqual([active, active])
  })
})

test.each([
  ['Kubernetes hears of', up, false],
  ['the kubelet says is not Ready, which it says why', [...up, ready('False')], false],
  ['is only said not to be Ready, as when its machine is lost', [...up, { type: 'Ready', status: 'False' }], true],
])('a pod that %s', (_what, conditions, lost) => {
  expect([pod({ conditions }), essentials(pod({ conditions }))].map(isLostPod)).toEqual([lost, lost])
})

test('who speaks from an address: the pod that has it for itself, or all that share it with their node, until they end or go', () => {
  const directory = new Directory({ hostForm: 'dns', prepare: () => undefined })
  const at = (name: string, podIP: string, more: { readonly hostNetwork?: boolean; readonly phase?: string } = {}): PodObject => ({
    metadata: { name, labels: { 'tars.io/ServerApp': 'A', 'tars.io/ServerName': name } }, spec: { hostNetwork: more.hostNetwork === true }, status: { podIP, phase: more.phase ?? 'Running' },
  })
  for (const name of ['One', 'Two']) directory.setPod(at(name, '10.0.0.1', { hostNetwork: true }))
  directory.setPod(at('Own', '10.1.0.1'))
  expect([directory.ownersAt('10.0.0.1'), directory.ownersAt('10.1.0.1'), directory.ownersAt('10.9.9.9')]).toEqual([['A.One', 'A.Two'], ['A.Own'], []])
  expect([directory.podOf({ name: '', address: '10.0.0.1' }), directory.podOf({ name: '', address: '10.1.0.1' })?.metadata.name]).toEqual([undefined, 'Own'])
  directory.removePod(at('One', '10.0.0.1', { hostNetwork: true }))
  directory.setPod(at('Two', '10.0.0.2', { hostNetwork: true }))
  expect([directory.ownersAt('10.0.0.1'), directory.ownersAt('10.0.0.2')]).toEqual([[], ['A.Two']])
  directory.setPod(at('Next', '10.1.0.1'))
  // It ended before, and is only now said to have.
  directory.setPod(at('Own', '10.1.0.1', { phase: 'Succeeded' }))
  expect(directory.ownersAt('10.1.0.1')).toEqual(['A.Next'])
  // It goes, and says so only after another one has its address.
  const leaving = at('Next', '10.1.0.1')
  const going: PodObject = { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
  directory.setPod(going)
  expect(directory.ownersAt('10.1.0.1')).toEqual(['A.Next'])
  directory.setPod(at('Heir', '10.1.0.1'))
  directory.setPod(going)
  expect(directory.ownersAt('10.1.0.1')).toEqual(['A.Heir'])
  directory.removePod(going)
  expect(directory.ownersAt('10.1.0.1')).toEqual(['A.Heir'])
  expect([directory.isServer('A.Own'), directory.isServer('a.own'), directory.isServer('A.Other')]).toEqual([true, true, false])
})

test.each([
  ['a template that is not there', '', 'lost', 'template gone does not exist'],
  ['a cycle', '', 'b', 'template chain b → c → b is a cycle'],
  ['a template that is no configuration text', '', 'bad', 'template bad cannot be joined: line 2: the domain is never closed: <x> (add a line </x>)'],
  ['a profile that is none', '<tars>', 'b', 'its own profile cannot be read: line 1: the domain is never closed: <tars> (add a line </tars>)'],
  ['a profile whose text cannot be joined', '<tars>\n  x=a<b\n</tars>', 'b', /^its own profile cannot be read: "a<b" holds/],
])('why a configuration is not complete: %s', (_what, profile, template, problem) => {
  const templates: Record<string, TTemplate['spec']> = {
    lost: { content: '', parent: 'gone' }, b: { content: '', parent: 'c' }, c: { content: '', parent: 'b' }, bad: { content: '<tars>\n<x>', parent: 'bad' },
  }
  const found = renderProfile(profile, template, (name) => templates[name] && ({ spec: templates[name] } as TTemplate))
  expect(found.problem).toEqual(typeof problem === 'string' ? problem : expect.stringMatching(problem))
})

test.each([['tars.java', 'tars_java'], ['own', 'tars_nodejs'], ['tars.es', 'tars_cpp'], ['gone', 'tars_cpp'], ['loop', 'tars_cpp']])('a server whose template is %s has the native type %s', (template, type) => {
  const parents: Record<string, string> = { own: 'between', between: 'tars.nodejs', 'tars.nodejs': 'tars.default', 'tars.es': 'tars.default', 'tars.default': 'tars.default', loop: 'pool', pool: 'loop' }
  expect(nativeType(template, (name) => (parents[name] === undefined ? undefined : { spec: { content: '', parent: parents[name] } }))).toBe(type)
})

test('hosts: DNS by default, the address on request and where names do not resolve (1.2)', () => {
  const plain = pod({})
  expect(hostOf(plain, 'a-b', 'dns')).toBe('a-b-0.a-b')
  expect(hostOf(plain, 'a-b', 'ip')).toBe('10.0.0.1')
  expect(hostOf({ ...plain, spec: { hostNetwork: true } }, 'a-b', 'dns')).toBe('10.0.0.1')
  expect(hostOf({ ...plain, metadata: { ...plain.metadata, ownerReferences: [{ kind: 'DaemonSet' }] } }, 'a-b', 'dns')).toBe('10.0.0.1')
  expect(hostOf({ ...plain, status: {} }, 'a-b', 'ip')).toBeUndefined()
  // The address of one that ended may be another's, which may be of the same server.
  expect(['dns', 'ip'].map((form) => hostOf(pod({ phase: 'Failed' }), 'a-b', form as 'dns' | 'ip'))).toEqual(['a-b-0.a-b', undefined])
})

describe('conditions (node-and-image A.9)', () => {
  const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

  test('the transition time moves with the status only', () => {
    const [first] = conditionsFor(reported('Active', 'Active', { message: 'm' }), undefined, now)
    expect(first).toEqual({ type: 'tars.io/active', status: 'True', reason: 'Active/Active/1', message: 'm', lastTransitionTime: '2026-01-02T03:04:05Z' })
    const known = pod({ conditions: [{ ...gateOf('True', 'Active/Active/0'), lastTransitionTime: 'then' }] as never })
    expect(conditionsFor(reported('Active', 'Active'), known, now)[0]?.lastTransitionTime).toBe('then')
    expect(conditionsFor(reported('Active', 'Inactive'), known, now)[0]?.lastTransitionTime).toBe('2026-01-02T03:04:05Z')
  })

  test('restarts are a condition that never fails the pod, from the first restart on', () => {
    const types = (restarts: string) => conditionsFor(reported('Active', 'Active', { restarts }), undefined, now).map(({ type, status, reason }) => [type, status, reason])
    expect(types('').length).toBe(1)
    expect(types('0').length).toBe(1)
    expect(types('2')[1]).toEqual(['tars.io/restarts', 'True', '2'])
  })

  test('a pod confirms a report when every part of it is there', () => {
    const state = reported('Active', 'Active', { message: 'm', restarts: '2' })
    const conditions = conditionsFor(state, undefined, now)
    expect(isConfirmed(pod({ conditions: conditions as never }), state)).toBe(true)
    expect(isConfirmed(pod({ conditions: conditions as never }), { ...state, message: 'n' })).toBe(false)
    expect(isConfirmed(pod({ conditions: conditions as never }), { ...state, restarts: '3' })).toBe(false)
    expect(isConfirmed(pod({}), state)).toBe(false)
  })

  test('what a condition says can be read back', () => {
    expect(stateOfCondition(gateOf('True', 'Active/Active/7') as never)).toEqual({ setting: 'Active', present: 'Active', pid: '7', message: '' })
    expect(stateOfCondition(gateOf('True', 'a/b/c/d') as never)).toBeUndefined()
  })

  test.each([
    ['podName', 'Upper', reported('Active', 'Active')],
    ['podName', 'a/../b', reported('Active', 'Active')],
    ['podName', 'a\r\nb', reported('Active', 'Active')],
    ['podName', '', reported('Active', 'Active')],
    ['podName', 'a'.repeat(254), reported('Active', 'Active')],
    ['settingState', 'a', reported('active', 'Active')],
    ['presentState', 'a', reported('Active', 'Active/x')],
    ['context PID', 'a', reported('Active', 'Active', { pid: '7/8' })],
    ['context Time', 'a', reported('Active', 'Active', { saidAt: Number('x') })],
    ['context Restarts', 'a', reported('Active', 'Active', { restarts: 'x' })],
  ])('a bad %s is named', (field, name, state) => {
    expect(() => checkReport(name, state)).toThrow(new RegExp(`^${field} must be`))
  })

  test('messages are one line of bounded length', () => {
    expect(plainMessage(' a\r\n\tb\u0000c ')).toBe('a b c')
    expect(plainMessage('x'.repeat(5000))).toHaveLength(1024)
  })
})

test.each([
  ['10.0.0.1', '10.0.0.1', true], ['10.0.0.1', '::ffff:10.0.0.1', true], ['10.0.0.1', '10.0.0.2', false], ['10.0.0.1', '127.0.0.1', false],
  ['127.9.0.5', '127.0.0.1', false], ['127.9.0.5', '127.9.0.6', false], ['127.9.0.5', '127.9.0.5', true], ['127.9.0.5', '10.0.0.1', false], ['', '10.0.0.1', false], ['fd00::1', 'fd00::1', true],
])('the pod at %j may be reported by %j: %j', (ip, peer, allowed) => {
  expect(isOwnPod({ metadata: { name: 'x' }, status: ip === '' ? {} : { podIP: ip } }, peer)).toBe(allowed)
})

describe('the read model (1.1, 1.2)', () => {
  const endpointOf = (app: string, servants: readonly string[]): TEndpoint =>
    ({ metadata: { name: `${app}-srv`.toLowerCase() }, spec: { app, server: 'Srv', tars: { servants: servants.map((name, index) => ({ name, port: index + 1, isTcp: true, timeout: 1 })) } } }) as unknown as TEndpoint
  const podOf = (app: string, name: string, state: string): PodObject => ({
    metadata: { name, labels: { 'tars.io/ServerApp': app, 'tars.io/ServerName': 'Srv' } },
    status: { conditions: [gateOf(state === 'Active' ? 'True' : 'False', `Active/${state}/1`)] },
  })
  const app = fc.constantFrom('Aa', 'Bb')
  const podName = fc.constantFrom('p-0', 'p-2', 'p-10', 'p-x')
  const state = fc.constantFrom('Active', 'Activating', 'Inactive')
  const event = fc.oneof(
    fc.record({ kind: fc.constant('endpoint' as const), app, servants: fc.uniqueArray(fc.constantFrom('O1', 'O2'), { maxLength: 2 }) }),
    fc.record({ kind: fc.constant('gone' as const), app }),
    fc.record({ kind: fc.constant('pod' as const), app, podName, state }),
    fc.record({ kind: fc.constant('podGone' as const), podName }),
    fc.record({ kind: fc.constant('report' as const), podName, state: fc.option(state, { nil: undefined }) }),
  )

  test('answers as if everything were computed anew, after any history', () => {
    const order = ['p-0', 'p-2', 'p-10', 'p-x']
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (history) => {
        const directory = new Directory<ServantView>({ hostForm: 'dns', prepare: (view) => view })
        const endpoints = new Map<string, readonly string[]>()
        const known = new Map<string, { app: string; state: string }>()
        const words = new Map<string, string>()
        for (const step of history) {
          if (step.kind === 'endpoint') {
            directory.setEndpoint(endpointOf(step.app, step.servants))
            endpoints.set(step.app, step.servants)
          } else if (step.kind === 'gone') {
            directory.removeEndpoint(endpointOf(step.app, []))
            endpoints.delete(step.app)
          } else if (step.kind === 'pod') {
            directory.setPod(podOf(step.app, step.podName, step.state))
            // A pod that changes its server is another pod: words about it are forgotten.
            if (known.has(step.podName) && known.get(step.podName)?.app !== step.app) words.delete(step.podName)
            known.set(step.podName, { app: step.app, state: step.state })
          } else if (step.kind === 'podGone') {
            directory.removePod({ metadata: { name: step.podName } })
            known.delete(step.podName)
            words.delete(step.podName)
          } else {
            directory.setReport(step.podName, step.state && reported('Active', step.state))
            if (step.state === undefined) words.delete(step.podName)
            else words.set(step.podName, step.state)
          }
        }
        for (const one of ['Aa', 'Bb']) {
          for (const object of ['O1', 'O2']) {
            const declared = endpoints.get(one)?.includes(object) ?? false
            const names = declared ? order.filter((name) => known.get(name)?.app === one) : []
            const active = (name: string) => (words.get(name) ?? known.get(name)?.state) === 'Active'
            const view = directory.find(`${one}.Srv.${object}`)
            expect(view.active.map(({ host }) => host)).toEqual(names.filter(active).map((name) => `${name}.${one.toLowerCase()}-srv`))
            expect(view.inactive.map(({ host }) => host)).toEqual(names.filter((name) => !active(name)).map((name) => `${name}.${one.toLowerCase()}-srv`))
          }
        }
      }),
      { numRuns: 1000 },
    )
  })
})
