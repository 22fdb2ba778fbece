// One line about one pod. Pure.
import { restartsCondition } from '#api/names.ts'
import type { TEndpointPod } from '#api/types.ts'
import type { PodRow } from '../contract.ts'

/** The parts of a Kubernetes pod that are read here. */
export interface PodObject {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string }
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly reason?: string }[] }
}

type ContainerStatus = NonNullable<TEndpointPod['containerStatuses']>[number]

/** Reasons for waiting that are part of every good start. */
const ordinary = new Set(['ContainerCreating', 'PodInitializing', ''])

/** What the controller says of the pod, sharpened by why its container waits and by how often its service was started again. */
export function podRow(entry: TEndpointPod, pod: PodObject | undefined): PodRow {
  const trouble = (entry.containerStatuses ?? []).map(troubleOf).find((found) => found !== undefined)
  const leaving = pod?.metadata.deletionTimestamp !== undefined
  return {
    name: entry.name,
    ip: entry.podIP ?? '',
    hostIP: entry.hostIP ?? '',
    // The tarsnode of K8SFramework says -1 for none.
    pid: Number(entry.pid) > 0 ? (entry.pid ?? '') : '',
    settingState: entry.settingState,
    presentState: leaving ? 'Terminating' : (trouble?.state ?? entry.presentState),
    message: trouble?.message ?? entry.presentMessage ?? '',
    restarts: containerRestarts(entry) + serviceRestarts(pod),
    releaseId: entry.id ?? '',
    startTime: entry.startTime ?? '',
  }
}

function troubleOf({ state, lastState }: ContainerStatus): { readonly state: string; readonly message: string } | undefined {
  const { reason = '', message = '' } = state?.waiting ?? {}
  if (state?.waiting === undefined || ordinary.has(reason)) return undefined
  return { state: reason, message: [message, lastEnd(lastState?.terminated)].filter((text) => text !== '').join('; ') }
}

function lastEnd(ended: NonNullable<ContainerStatus['lastState']>['terminated']): string {
  if (ended === undefined) return ''
  const how = ended.signal === undefined ? `exit code ${ended.exitCode}` : `signal ${ended.signal}`
  const why = [ended.reason, ended.message?.trim()].filter((text) => text !== undefined && text !== '' && text !== 'Error').join(': ')
  return `the container ended with ${how}${why === '' ? '' : `: ${why}`}`
}

function containerRestarts({ containerStatuses = [] }: TEndpointPod): number {
  return containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0)
}

function serviceRestarts(pod: PodObject | undefined): number {
  const count = Number(pod?.status?.conditions?.find(({ type }) => type === restartsCondition)?.reason)
  return Number.isSafeInteger(count) && count > 0 ? count : 0
}

export function isActive({ settingState, presentState }: Pick<PodRow, 'settingState' | 'presentState'>): boolean {
  return settingState === 'Active' && presentState === 'Active'
}
