import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { events } from '#kube/resources.ts'
import type { KubeObject } from '#kube/types.ts'

export interface EventRecorder {
  /** Tells operators what happened to an object (`kubectl describe`). Never fails, never waits. */
  record(object: KubeObject, type: 'Normal' | 'Warning', reason: string, message: string): void
}

const maxMessage = 1024
const maxKnown = 2000

/** Records events; the same event again raises its count (Kubernetes API reference, "Event v1 core"). */
export function eventRecorder(client: KubeClient, component: string, host: string, log: Logger): EventRecorder {
  const known = new Map<string, { readonly name: string; count: number }>()
  const write = async (object: KubeObject, type: string, reason: string, message: string): Promise<void> => {
    const { name, namespace = 'default', uid = '' } = object.metadata
    const key = `${uid}/${type}/${reason}/${message}`
    const now = `${new Date().toISOString().slice(0, 19)}Z`
    const earlier = known.get(key)
    if (earlier !== undefined) {
      earlier.count++
      await client.patch(events, { namespace, name: earlier.name }, { count: earlier.count, lastTimestamp: now })
      return
    }
    if (known.size >= maxKnown) known.clear()
    const entry = { name: `${name}.${Date.now().toString(16)}${Math.floor(Math.random() * 0xffff).toString(16)}`, count: 1 }
    known.set(key, entry)
    await client.create(events, {
      metadata: { name: entry.name, namespace },
      involvedObject: { apiVersion: object.apiVersion, kind: object.kind, name, namespace, uid },
      type, reason, message: message.slice(0, maxMessage), count: 1, firstTimestamp: now, lastTimestamp: now, source: { component, host },
    } as object as { metadata: { name: string } })
  }
  return {
    record(object, type, reason, message) {
      write(object, type, reason, message).catch((error: unknown) => log.info('event not recorded', { reason, error }))
    },
  }
}
