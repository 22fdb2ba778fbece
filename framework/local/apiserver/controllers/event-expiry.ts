import { Lifetime } from '#base/lifecycle.ts'
import type { Running } from '#base/lifecycle.ts'
import type { AnyObject } from '#kube/types.ts'
import type { Api } from '../api.ts'
import { StaleWrite } from '../store.ts'

const longestPauseMs = 60_000

/** Removes events that nothing was added to for `ttlMs`, as a real API server does, so that they cannot fill the disk. */
export function startEventExpiry(api: Api, ttlMs: number): Running {
  const life = new Lifetime()
  const timer = setInterval(() => expire(api, Date.now() - ttlMs), Math.min(longestPauseMs, ttlMs))
  timer.unref()
  life.onStop(() => clearInterval(timer))
  return life
}

function expire({ store }: Api, before: number): void {
  for (const event of store.list('/events')) {
    if (lastSeen(event) >= before) continue
    const { namespace = '', name } = event.metadata
    try {
      store.commit({ collection: '/events', namespace, name }, undefined, event)
    } catch (error) {
      // Written to in this very turn: it is alive.
      if (!(error instanceof StaleWrite)) throw error
    }
  }
}

function lastSeen(event: AnyObject): number {
  const times = [event['lastTimestamp'], event['eventTime'], event['series']?.lastObservedTime, event.metadata.creationTimestamp] as unknown[]
  return Math.max(...times.map((time) => (typeof time === 'string' ? Date.parse(time) || 0 : 0)))
}
