// A node's word as a condition of its pod (node-and-image A.9). Pure.
import { activeCondition, restartsCondition } from '#api/names.ts'
import { longestDnsName } from '#base/address.ts'
import { Failure } from '#base/errors.ts'
import { conditionOf, isActiveState, type PodCondition, type PodObject, type ReportedState } from './model/pod-state.ts'

const states: ReadonlySet<string> = new Set(['Inactive', 'Activating', 'Active', 'Deactivating', 'Unknown'])
const podNames = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
/** Characters of a message that are kept. */
const longestMessage = 1024
/** The last second that RFC 3339 can name. */
const latest = 253_402_300_799

/** What a report must look like before anything is done with it; throws a Failure that names the parameter. */
export function checkReport(podName: string, { setting, present, pid, restarts = '', saidAt = 0 }: ReportedState): void {
  if (podName.length > longestDnsName || !podNames.test(podName)) {
    throw invalid('podName', podName, 'a Kubernetes pod name: lower-case letters, digits, "-" and "."')
  }
  if (!states.has(setting)) throw invalid('settingState', setting, `one of ${[...states].join(', ')}`)
  if (!states.has(present)) throw invalid('presentState', present, `one of ${[...states].join(', ')}`)
  if (!/^\d{0,10}$/.test(pid)) throw invalid('context PID', pid, 'a process id in digits')
  if (!/^\d{0,10}$/.test(restarts)) throw invalid('context Restarts', restarts, 'a number in digits')
  if (!Number.isInteger(saidAt) || saidAt < 0 || saidAt > latest) throw invalid('context Time', String(saidAt), 'seconds since the epoch')
}

function invalid(parameter: string, value: string, rule: string): Failure {
  return new Failure('STATE_INVALID', `${parameter} must be ${rule}, not ${JSON.stringify(value.slice(0, 80))}`)
}

/** One line without control characters, of bounded length. */
export function plainMessage(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const line = text.replace(/[\u0000-\u001f\u007f]+/g, ' ').trim()
  return line.length > longestMessage ? `${line.slice(0, longestMessage - 1)}…` : line
}

/**
 * The conditions to write: the readiness gate and, when the node counts them, the restarts.
 * @param nowMs milliseconds since the epoch
 */
export function conditionsFor(state: ReportedState, pod: PodObject | undefined, nowMs: number): readonly PodCondition[] {
  const known = (type: string) => pod && conditionOf(pod, type)
  const active = {
    type: activeCondition,
    status: isActiveState(state) ? 'True' : 'False',
    reason: `${state.setting}/${state.present}/${state.pid}`,
    message: state.message,
    ...(state.saidAt === undefined ? {} : { lastProbeTime: timeOf(state.saidAt * 1000) }),
  }
  const conditions = [dated(active, known(activeCondition), nowMs)]
  const { restarts = '' } = state
  if (restarts !== '' && (restarts !== '0' || known(restartsCondition) !== undefined)) {
    const counted = { type: restartsCondition, status: 'True', reason: restarts, message: `started again ${restarts} times by its node` }
    conditions.push(dated(counted, known(restartsCondition), nowMs))
  }
  return conditions
}

/** `lastTransitionTime` moves only when True and False change places, as Kubernetes has it. */
function dated(condition: PodCondition, before: PodCondition | undefined, nowMs: number): PodCondition {
  const kept = before?.status === condition.status ? before.lastTransitionTime : undefined
  return { ...condition, lastTransitionTime: kept ?? timeOf(nowMs) }
}

const timeOf = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

/** When the node's word was said that the pod shows, seconds since the epoch; undefined when whoever wrote it did not say. */
export function shownAt(pod: PodObject): number | undefined {
  const time = Date.parse(conditionOf(pod, activeCondition)?.lastProbeTime ?? '')
  return Number.isNaN(time) ? undefined : time / 1000
}

/** True when the pod says already what the report says. */
export function isConfirmed(pod: PodObject, state: ReportedState): boolean {
  return conditionsFor(state, pod, 0).every(({ type, status, reason, message }) => {
    const known = conditionOf(pod, type)
    return known !== undefined && known.status === status && known.reason === reason && (known.message ?? '') === message
  })
}
