import { isAlive, sendSignal } from '../system/processes.ts'
import type { Run } from './ports.ts'

/**
 * A service that is no child of ours: it is PID 1, and its end is the end of the container and of us. From inside, the
 * kernel hands PID 1 only signals that it has a handler for, and never SIGKILL: where those do not end it, the supervisor
 * is helpless, its /healthz says so, and the kubelet ends the container.
 */
export function attachTo(pid: number): Run {
  const signal = (name: NodeJS.Signals): void => void sendSignal(pid, name)
  return {
    pid,
    get running() {
      return isAlive(pid)
    },
    heardFrom: () => {},
    ended: () => {},
    signal,
    signalGroup: signal,
    sweep: () => {},
  }
}
