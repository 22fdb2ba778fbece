import type { Disturbance } from '../disturbance.ts'
import type { ControlPlaneField } from './field.ts'
import type { Replica } from './replica.ts'

type ReplicaDisturbance = Disturbance<Replica, ControlPlaneField>

/** Jumps of the clock in seconds: within a lease, and beyond the life of every certificate. */
const jumps = [-31_536_000, -86_400, -3_600, -61, -7, 7, 61, 3_600, 86_400, 31_536_000] as const

/** Ends a process until it is undone. */
async function down(replicas: readonly Replica[], signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<{ readonly did: string; readonly undo: () => void }> {
  const ended = await Promise.all(replicas.map(async (replica) => ((await replica.takeDown(signal)) ? [replica.name] : [])))
  return { did: `${signal} of ${ended.flat().join(', ') || 'nobody'}`, undo: () => replicas.forEach((replica) => replica.bringUp()) }
}

const kill: ReplicaDisturbance = { weight: 3, lasts: [50, 6_000], begin: (replica) => down([replica]) }
const stop: ReplicaDisturbance = { weight: 1, lasts: [50, 4_000], begin: (replica) => down([replica], 'SIGTERM') }
const killLeader: ReplicaDisturbance = {
  weight: 3, lasts: [50, 6_000], shared: true,
  begin: (replica, _action, { replicas }) => down([replicas.find(({ leads }) => leads) ?? replica]),
}
const killAll: ReplicaDisturbance = { weight: 2, lasts: [1_000, 8_000], shared: true, begin: (_replica, _action, { replicas }) => down(replicas) }

const pauseController: ReplicaDisturbance = {
  weight: 2, lasts: [500, 25_000],
  begin(replica) {
    const undo = replica.pause()
    return undo === undefined ? { did: 'nobody to stop' } : { did: `SIGSTOP of ${replica.name}`, undo }
  },
}

const jumpClock: ReplicaDisturbance = {
  weight: 3, lasts: [2_000, 12_000],
  begin(replica, { choice }) {
    const seconds = jumps[choice % jumps.length] ?? 0
    replica.setClock(seconds)
    return { did: `its clock jumps by ${seconds} s`, undo: () => replica.setClock(0) }
  },
}

const reset: ReplicaDisturbance = {
  weight: 3,
  begin({ link }) {
    link.refuse(true)
    link.refuse(false)
    return { did: 'its connections to the API server are reset' }
  },
}

const refuse: ReplicaDisturbance = {
  weight: 2, lasts: [500, 15_000],
  begin({ link }) {
    link.refuse(true)
    return { did: 'the API server refuses it', undo: () => link.refuse(false) }
  },
}

const hang: ReplicaDisturbance = {
  weight: 2, lasts: [500, 20_000],
  begin({ link }) {
    link.hang(true)
    return { did: 'nothing passes between it and the API server', undo: () => link.hang(false) }
  },
}

const cut: ReplicaDisturbance = {
  weight: 2,
  begin({ link }, { choice }) {
    link.cutAfter(choice * 20)
    return { did: `its next connection that carries more than ${choice * 20} bytes is cut` }
  },
}

const restartApi: ReplicaDisturbance = {
  weight: 3, lasts: [50, 5_000], shared: true,
  async begin(_replica, { choice }, { plane }) {
    const inOrder = choice % 3 === 0
    await (inOrder ? plane.stopApi() : plane.killApi())
    return { did: `${inOrder ? 'SIGTERM' : 'SIGKILL'} of the API server`, undo: () => plane.resumeApi() }
  },
}

const pauseEtcd: ReplicaDisturbance = {
  weight: 2, lasts: [500, 10_000], shared: true,
  async begin(_replica, _action, { plane }) {
    await plane.pauseEtcd(true)
    return { did: 'SIGSTOP of etcd', undo: () => plane.pauseEtcd(false) }
  },
}

/** What a replica has missed is gone from the history when it comes back: its watches end with 410. */
const forget: ReplicaDisturbance = {
  weight: 2, lasts: [2_000, 6_000],
  begin({ link }, _action, { plane }) {
    link.refuse(true)
    return {
      did: 'it is kept from the API server while history is dropped',
      async undo() {
        const outcome = await plane.compact().then((revision) => `up to revision ${revision}`, () => 'the store did not answer')
        link.refuse(false)
        return outcome
      },
    }
  },
}

const cutWebhooks: ReplicaDisturbance = {
  weight: 1, lasts: [500, 6_000], shared: true,
  begin(_replica, _action, { service }) {
    service.refuse(true)
    return { did: 'the API server reaches no webhook', undo: () => service.refuse(false) }
  },
}

/** Every kind by its name in the log. A new one changes what older seeds mean. */
export const disturbances: Readonly<Record<string, ReplicaDisturbance>> = {
  'kill-controller': kill,
  'stop-controller': stop,
  'kill-leader': killLeader,
  'kill-all': killAll,
  'pause-controller': pauseController,
  'jump-clock': jumpClock,
  'reset-links': reset,
  'refuse-link': refuse,
  'hang-link': hang,
  'cut-link': cut,
  'restart-apiserver': restartApi,
  'pause-etcd': pauseEtcd,
  'forget-history': forget,
  'cut-webhooks': cutWebhooks,
}
