import type { Disturbance } from '../disturbance.ts'
import type { Configs } from './configs.ts'
import type { Pod } from './pod.ts'

/** What operators and the cluster do to pods and configuration meanwhile. */
export interface Changing {
  readonly configs: Configs
  readonly signal: AbortSignal
}

type Change = Disturbance<Pod, Changing>

/** Every kind by its name in the log. A new one changes what older seeds mean. */
export const changes: Readonly<Record<string, Change>> = {
  deactivate: { weight: 4, lasts: [200, 15_000], begin: (pod) => ({ did: `${pod.name} is to be inactive`, undo: pod.deactivate() }) },
  delete: { weight: 3, lasts: [200, 15_000], begin: (pod) => ({ did: `${pod.name} is to be gone`, undo: pod.remove() }) },
  'new-config': {
    weight: 1,
    begin(_pod, _action, { configs, signal }) {
      configs.change(signal).catch(() => {})
      return { did: 'a configuration file changes' }
    },
  },
}
