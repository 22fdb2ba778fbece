import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pauseFor } from 'node:timers/promises'
import { fill } from '../../rig/fill.ts'
import type { Treatment } from '../../rig/http-fault-proxy.ts'
import type { Begun, Disturbance } from '../disturbance.ts'
import type { ServicesField } from './field.ts'
import type { Role } from './role.ts'

type RoleDisturbance = Disturbance<Role, ServicesField>

/** Jumps of the clock in seconds: within a window of time and beyond it, and into another day. */
const jumps = [-86_400, -3_600, -61, -2, 2, 61, 3_600, 86_400] as const
const HOUR_S = 3_600
/** So long after its clock was wrong all that a role keeps has the right date, milliseconds. */
const DATED_MS = 30_000

async function down(role: Role, signal: 'SIGKILL' | 'SIGTERM'): Promise<Begun> {
  const was = await role.takeDown(signal)
  return { did: was ? signal : 'it is down already', undo: () => role.bringUp() }
}

const kill: RoleDisturbance = { weight: 5, lasts: [50, 3_000], begin: (role) => down(role, 'SIGKILL') }
const stop: RoleDisturbance = { weight: 2, lasts: [50, 2_000], begin: (role) => down(role, 'SIGTERM') }

/** Killed again while it starts. */
const killTwice: RoleDisturbance = {
  weight: 2, lasts: [50, 1_000],
  async begin(role, action) {
    const first = await down(role, 'SIGKILL')
    return {
      did: first.did,
      async undo() {
        first.undo?.()
        await pauseFor(action.choice)
        const { undo } = await down(role, 'SIGKILL')
        undo?.()
        return `and again after ${action.choice} ms`
      },
    }
  },
}

const pause: RoleDisturbance = {
  weight: 2, lasts: [500, 8_000],
  begin(role) {
    const undo = role.pause()
    return undo === undefined ? { did: 'nobody to stop' } : { did: 'SIGSTOP', undo }
  },
}

const clockJump: RoleDisturbance = {
  weight: 2, lasts: [1_500, 8_000],
  begin(role, { choice }) {
    const seconds = jumps[choice % jumps.length] ?? 0
    role.setClock(seconds)
    return { did: `its clock jumps by ${seconds} s`, undo: () => role.setClock(0) }
  },
}

const fullDisk: RoleDisturbance = {
  weight: 4, lasts: [500, 6_000],
  async begin(role) {
    if (!role.hasDisk) return { did: 'it has no disk' }
    const file = join(role.disk, 'filler')
    const bytes = await fill(file)
    return { did: `its disk is full after ${bytes} bytes`, undo: () => rmSync(file, { force: true }) }
  },
}

const refuseClients: RoleDisturbance = {
  weight: 2, lasts: [100, 4_000],
  begin({ links }) {
    for (const link of Object.values(links)) link.refuse(true)
    return { did: 'it refuses its clients', undo: () => Object.values(links).forEach((link) => link.refuse(false)) }
  },
}

const hangClients: RoleDisturbance = {
  weight: 2, lasts: [500, 8_000],
  begin({ links }) {
    for (const link of Object.values(links)) link.hang(true)
    return { did: 'nothing passes between it and its clients', undo: () => Object.values(links).forEach((link) => link.hang(false)) }
  },
}

const cutClients: RoleDisturbance = {
  weight: 2,
  begin({ links }, { choice }) {
    for (const link of Object.values(links)) link.cutAfter(choice * 4)
    return { did: `the next connection of a client that carries more than ${choice * 4} bytes is cut` }
  },
}

const resetWatches: RoleDisturbance = {
  weight: 2,
  begin({ api }) {
    api.refuse(true)
    api.refuse(false)
    return { did: 'its connections to the API server are reset' }
  },
}

/** Long enough, and its history is gone: its watches end with 410. */
const refuseApi: RoleDisturbance = {
  weight: 2, lasts: [500, 15_000],
  begin({ api, reach }) {
    const back = reach.cut()
    api.refuse(true)
    return {
      did: 'the API server refuses it',
      undo() {
        api.refuse(false)
        back()
      },
    }
  },
}

const hangApi: RoleDisturbance = {
  weight: 2, lasts: [500, 12_000],
  begin({ api, reach }) {
    const back = reach.cut()
    api.hang(true)
    return {
      did: 'nothing passes between it and the API server',
      undo() {
        api.hang(false)
        back()
      },
    }
  },
}

/** Beyond what a registry takes for prompt, and below what the run does. */
const slowestMs = 3_000
const slowApi: RoleDisturbance = {
  weight: 2, lasts: [500, 10_000],
  begin({ api, reach }, { choice }) {
    const back = reach.cut()
    const ms = Math.round((choice * slowestMs) / 1_000)
    api.delay(ms)
    return {
      did: `the API server answers ${ms} ms later`,
      undo() {
        api.delay(0)
        back()
      },
    }
  },
}

const loseAnswers: RoleDisturbance = {
  weight: 3,
  begin({ api }) {
    api.loseAnswers()
    return { did: 'the next answers of the API server are lost' }
  },
}

const restartApi: RoleDisturbance = {
  weight: 2, lasts: [50, 6_000], shared: true,
  async begin(_role, { choice }, field) {
    const { api } = field
    const signal = choice % 3 === 0 ? 'SIGTERM' : 'SIGKILL'
    const back = field.cutAll()
    await api.takeDown(signal)
    return {
      did: `${signal} of the API server`,
      undo() {
        api.bringUp()
        back()
      },
    }
  },
}

const pauseApi: RoleDisturbance = {
  weight: 2, lasts: [500, 8_000], shared: true,
  begin(_role, _action, field) {
    const resume = field.api.pause()
    const back = field.cutAll()
    return {
      did: 'SIGSTOP of the API server',
      undo() {
        resume?.()
        back()
      },
    }
  },
}

/** The API server is away, a registry starts meanwhile, and its clock says that an hour has passed since it kept what it knows. */
const hourAway: RoleDisturbance = {
  weight: 2, lasts: [9_000, 15_000], shared: true,
  async begin(_role, { choice }, field) {
    const registries = field.of('tarsregistry')
    const registry = registries[choice % registries.length] as Role
    const back = field.cutAll()
    await field.api.takeDown()
    await registry.takeDown()
    const isDated = performance.now() - registry.clockSetAt > DATED_MS
    registry.setClock(HOUR_S)
    registry.bringUp()
    return {
      did: `the API server is away, and an hour passes; ${registry.name} starts`,
      async undo() {
        const said = await registry.metric('tarsregistry_knowledge_age_seconds').catch(() => undefined)
        if (isDated && said !== undefined && said < HOUR_S) field.faults.push(`${registry.name} says after an hour without the API server that what it serves is ${said} s old`)
        registry.setClock(0)
        field.api.bringUp()
        back()
        return said === undefined ? 'it did not serve yet' : `it said that what it serves is ${said.toFixed(0)} s old`
      },
    }
  },
}

const treat = (how: Treatment, did: string, weight = 1): RoleDisturbance => ({
  weight, lasts: [500, 8_000], shared: true,
  begin(_role, _action, { documents: { link } }) {
    link.treat(how)
    return { did, undo: () => link.treat('pass') }
  },
})

const pauseStore: RoleDisturbance = {
  weight: 1, lasts: [500, 8_000], shared: true,
  begin(_role, _action, { documents }) {
    documents.pause(true)
    return { did: 'SIGSTOP of OpenSearch', undo: () => documents.pause(false) }
  },
}

const killStore: RoleDisturbance = {
  weight: 1, lasts: [500, 8_000], shared: true,
  async begin(_role, _action, { documents }) {
    return { did: 'SIGKILL of OpenSearch', undo: await documents.kill() }
  },
}

/** Every kind by its name in the log. A new one changes what older seeds mean. */
export const disturbances: Readonly<Record<string, RoleDisturbance>> = {
  kill,
  stop,
  'kill-twice': killTwice,
  pause,
  'clock-jump': clockJump,
  'full-disk': fullDisk,
  'refuse-clients': refuseClients,
  'hang-clients': hangClients,
  'cut-clients': cutClients,
  'reset-watches': resetWatches,
  'refuse-api': refuseApi,
  'hang-api': hangApi,
  'slow-api': slowApi,
  'api-loses': loseAnswers,
  'restart-api': restartApi,
  'pause-api': pauseApi,
  'hour-away': hourAway,
  'store-refuses': treat('refuse', 'the document store refuses'),
  'store-hangs': treat('hang', 'the document store answers nothing'),
  'store-busy': treat(429, 'the document store answers 429'),
  'store-broken': treat(503, 'the document store answers 503'),
  'store-loses': treat('lose-answer', 'answers of the document store are lost', 2),
  'pause-store': pauseStore,
  'kill-store': killStore,
}
