import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '#base/errors.ts'
import type { PodRow, ServerRow } from '../../admin/contract.ts'
import type { AdminClient } from './admin-client.ts'
import { shownName } from './names.ts'

/** What a server must come to. */
export interface Goal {
  readonly object: string
  /** Release that every pod must run; undefined: any. */
  readonly releaseId: string | undefined
  /** Of what is wanted: what is told of an earlier one is not looked at. Default: whatever is told. */
  readonly generation?: number | undefined
  /** For each pod: they are replaced one at a time, and each lets its callers go first. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly onChange: (text: string) => void
  /** A service that has ended meanwhile is believed to run when it has done so for so long, milliseconds. Default ten seconds. */
  readonly steadyMs?: number
}

/** Milliseconds between two looks. */
const lookMs = 250
/** Restarts of a service after which its start is taken for failed. */
const hopelessRestarts = 3

/** Waits for reasons of Kubernetes that do not pass by themselves. */
const hopeless = new Set(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull', 'CreateContainerConfigError', 'CreateContainerError', 'RunContainerError', 'CrashLoopBackOff'])

/**
 * Waits until all pods of a server are active with the release.
 * @throws Failure ROLLOUT_FAILED as soon as a pod shows that it will not be, or when the time is over; both say why
 */
export async function waitForRollout(admin: Pick<AdminClient, 'server'>, { object, releaseId, generation, timeoutMs, signal, onChange, steadyMs = 10_000 }: Goal): Promise<ServerRow> {
  let deadline = performance.now() + timeoutMs
  let most = 0
  const restarts = new Restarts()
  for (;;) {
    const row = await told(admin, object, generation)
    restarts.note(row?.pods ?? [])
    if (row !== undefined && isDone(row, releaseId) && restarts.quietMs >= steadyMs) return row
    const broken = row?.pods.find((pod) => isCurrent(pod, releaseId) && isHopeless(pod))
    if (broken !== undefined) throw failed(`pod ${broken.name} does not start`, broken)
    onChange(row === undefined ? 'waiting for tarsadmin to know of it' : progressText(row, releaseId))
    const active = row === undefined ? 0 : activePods(row, releaseId)
    if (active > most) deadline = performance.now() + timeoutMs
    most = Math.max(most, active)
    if (performance.now() > deadline) throw late(row, releaseId, timeoutMs)
    await delay(lookMs, undefined, { signal })
  }
}

async function told(admin: Pick<AdminClient, 'server'>, object: string, generation = 0): Promise<ServerRow | undefined> {
  const row = await admin.server(object)
  return row === undefined || row.generation < generation ? undefined : row
}

/** Services that end and are started again are active between. */
class Restarts {
  #known: Map<string, number> | undefined
  #at = Number.NEGATIVE_INFINITY

  /** What had ended before the first look does not count. */
  note(pods: readonly PodRow[]): void {
    const now = new Map(pods.map((pod) => [`${pod.name} ${pod.startTime}`, pod.restarts]))
    const before = this.#known
    if (before !== undefined && [...now].some(([pod, count]) => count > (before.get(pod) ?? 0))) this.#at = performance.now()
    this.#known = now
  }

  /** Milliseconds since one was seen. */
  get quietMs(): number {
    return performance.now() - this.#at
  }
}

function isDone({ replicas, pods, release }: ServerRow, releaseId: string | undefined): boolean {
  if (releaseId !== undefined && release?.id !== releaseId) return false
  const staying = pods.filter(({ presentState }) => presentState !== 'Terminating')
  return staying.length === replicas && staying.every((pod) => isCurrent(pod, releaseId) && isActive(pod))
}

function isActive({ settingState, presentState }: PodRow): boolean {
  return settingState === 'Active' && presentState === 'Active'
}

function isCurrent(pod: PodRow, releaseId: string | undefined): boolean {
  return releaseId === undefined || pod.releaseId === releaseId
}

function isHopeless(pod: PodRow): boolean {
  return hopeless.has(pod.presentState) || (!isActive(pod) && pod.restarts >= hopelessRestarts)
}

const activePods = ({ pods }: ServerRow, releaseId: string | undefined): number => pods.filter((pod) => isCurrent(pod, releaseId) && isActive(pod)).length

function progressText(row: ServerRow, releaseId: string | undefined): string {
  const { replicas, pods } = row
  const waiting = pods.filter((pod) => !(isCurrent(pod, releaseId) && isActive(pod)))
  const what = waiting.map((pod) => `${pod.name} ${pod.presentState}${isCurrent(pod, releaseId) ? '' : ' (other release)'}`).join(', ')
  return `${activePods(row, releaseId)} of ${replicas} active${what === '' ? '' : `: ${what}`}`
}

function failed(what: string, { presentState, message, name }: PodRow): Failure {
  return new Failure('ROLLOUT_FAILED', `${what}: ${presentState}${message === '' ? '' : `: ${message}`}`, { remedy: `see "tarsk8s logs ${name}"` })
}

function late(row: ServerRow | undefined, releaseId: string | undefined, timeoutMs: number): Failure {
  const time = `after ${Math.round(timeoutMs / 1000)} s without progress`
  if (row === undefined) return new Failure('ROLLOUT_FAILED', `tarsadmin does not know of what was deployed ${time}`, { remedy: 'see "tarsk8s status tars.tarsadmin"' })
  const pod = row.pods.find((one) => !(isCurrent(one, releaseId) && isActive(one)))
  if (pod !== undefined) return failed(`not all pods are active ${time}; ${pod.name} is`, pod)
  return new Failure('ROLLOUT_FAILED', `${row.ready} of ${row.replicas} pods are active ${time}${row.message === '' ? '' : `: ${row.message}`}`, { remedy: `see "tarsk8s status ${shownName(row)}"` })
}
