import type { ChaosPod } from '../pod.ts'
import type { PodDisturbance } from './pod-disturbance.ts'

const nobody = { did: 'no service to harm' }
/** Longest wait for the children of a service that is to leave orphans, milliseconds. */
const BURST_MS = 3_000
const ORPHANS = 50

/** @returns whether the process was there */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

export const killService: PodDisturbance = {
  weight: 4,
  begin(pod) {
    const [pid] = pod.services()
    return pid !== undefined && signal(pid, 'SIGKILL') ? { did: `kill -9 of service ${pid}` } : nobody
  },
}

export const pauseService: PodDisturbance = {
  weight: 2,
  lasts: [200, 8_000],
  begin(pod) {
    const [pid] = pod.services()
    if (pid === undefined || !signal(pid, 'SIGSTOP')) return nobody
    return { did: `SIGSTOP of service ${pid}`, undo: () => pod.services().includes(pid) && signal(pid, 'SIGCONT') }
  },
}

export const pauseSupervisor: PodDisturbance = {
  weight: 2,
  lasts: [200, 5_000],
  begin(pod) {
    pod.space.kill('SIGSTOP')
    return { did: 'SIGSTOP of the supervisor', undo: () => pod.space.kill('SIGCONT') }
  },
}

export const orphans: PodDisturbance = {
  weight: 2,
  async begin(pod) {
    const [pid] = pod.services()
    if (pid === undefined || !signal(pid, 'SIGUSR2')) return nobody
    await grown(pod)
    const born = pod.population()
    signal(pid, 'SIGKILL')
    return { did: `kill -9 of service ${pid} among ${born} processes` }
  },
}

async function grown(pod: ChaosPod): Promise<void> {
  const until = performance.now() + BURST_MS
  while (pod.population() < ORPHANS && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
}
