// A pod, its registry's read model, and writes that end when they are told to.
import { systemClock } from '#base/clock.ts'
import { silentLogger } from '#base/log.ts'
import { Directory } from '../../framework/registry/model/directory.ts'
import type { PodCondition, PodObject, ReportedState } from '../../framework/registry/model/pod-state.ts'
import type { ServantView } from '../../framework/registry/model/views.ts'
import { Reports, type WriteConditions } from '../../framework/registry/reports.ts'

export const state = (present: string): ReportedState => ({ setting: 'Active', present, pid: '1', message: '' })
/** Seconds that the API server's clock shows in tests that say so. */
export const noon = 1_800_000_000
export const timeAt = (second: number): string => new Date(second * 1000).toISOString().replace('.000', '')
export const podWith = (conditions: readonly PodCondition[], resourceVersion: string, { uid = 'u', podIP = '10.0.0.1', made = undefined as number | undefined } = {}): PodObject => ({ metadata: { name: 'p', uid, resourceVersion, ...(made === undefined ? {} : { creationTimestamp: timeAt(made) }), labels: { 'tars.io/ServerApp': 'A', 'tars.io/ServerName': 'B' } }, status: { conditions, podIP } })

/** A write that ends when it is told to. */
export class Gate {
  readonly writes: { readonly uid: string | undefined; readonly resourceVersion: string | undefined; readonly condition: PodCondition; readonly end: (result: PodObject | Error) => void }[] = []
  readonly write: WriteConditions = ({ uid, resourceVersion }, [condition]) =>
    new Promise((resolve, reject) => this.writes.push({ uid, resourceVersion, condition: condition as PodCondition, end: (result) => (result instanceof Error ? reject(result) : resolve(result)) }))

  reasons(): (string | undefined)[] {
    return this.writes.map(({ condition }) => condition.reason)
  }
}

export function setup(now?: PodObject, clock = systemClock) {
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
