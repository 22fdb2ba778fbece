import { fallbackLimits, labels } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TEndpointPod, TExitedPod, TExitedRecord } from '#api/types.ts'
import { isAlreadyExists } from '#kube/errors.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { childMeta } from '../desired/meta.ts'
import { frameworkOf, serverKeyOf, type ControllerContext } from './context.ts'
import { isLeftOver, isOrphan } from './owner.ts'
import { remove } from './remove.ts'

const resource = resources.texitedrecords as Resource<TExitedRecord>

/** Pods that ended but are not recorded yet, by server: a pod deleted by force is gone before anything else tells of its end. */
export class EndedPods {
  readonly #pods = new Map<string, Map<string, TExitedPod>>()

  /** Notes the pod when it is ending. @param gone it exists no more @returns key of its server when there is something to record */
  note(pod: AnyObject, gone: boolean, now: () => string): string | undefined {
    const { uid = '', deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata
    if (deletionTimestamp === undefined && !gone) return undefined
    const key = serverKeyOf(pod)
    if (!this.#of(key).has(uid)) this.#of(key).set(uid, exitedPod(pod, deletionTimestamp === undefined ? now() : earlier(deletionTimestamp, deletionGracePeriodSeconds)))
    return key
  }

  /** Notes pods of a server that ended unseen. @returns whether there is something to record */
  noteGone(key: string, pods: readonly TEndpointPod[], now: string): boolean {
    for (const { uid, name, id, hostIP, podIP, startTime } of pods) {
      if (this.#of(key).has(uid)) continue
      this.#of(key).set(uid, {
        uid, name, deleteTime: now,
        ...(id === undefined ? {} : { id }),
        ...(hostIP === undefined ? {} : { nodeIP: hostIP }),
        ...(podIP === undefined ? {} : { podIP }),
        ...(startTime === undefined ? {} : { createTime: startTime }),
      })
    }
    return pods.length > 0
  }

  of(key: string): TExitedPod[] {
    return [...(this.#pods.get(key)?.values() ?? [])]
  }

  /** @param pods those that are recorded now */
  forget(key: string, pods: readonly TExitedPod[]): void {
    const ended = this.#pods.get(key)
    for (const { uid } of pods) ended?.delete(uid)
    if (ended?.size === 0) this.#pods.delete(key)
  }

  #of(key: string): Map<string, TExitedPod> {
    const ended = this.#pods.get(key) ?? new Map<string, TExitedPod>()
    this.#pods.set(key, ended)
    return ended
  }
}

/** Kubernetes dates a deletion by the end of its grace period. */
function earlier(time: string, seconds: number): string {
  return new Date(Date.parse(time) - seconds * 1000).toISOString()
}

function exitedPod({ metadata, ...pod }: AnyObject, deleteTime: string): TExitedPod {
  const { uid = '', name, creationTimestamp, labels: own } = metadata
  const { hostIP, podIP } = (pod['status'] ?? {}) as { hostIP?: string; podIP?: string }
  const id = own?.[labels.serverId]
  return {
    uid, name, deleteTime,
    ...(id === undefined ? {} : { id }),
    ...(hostIP === undefined ? {} : { nodeIP: hostIP }),
    ...(podIP === undefined ? {} : { podIP }),
    ...(creationTimestamp === undefined ? {} : { createTime: creationTimestamp }),
  }
}

/** TExitedRecord of a TServer: made with it, and the last pods that ended in it (control-plane spec C.7). */
export function reconcileExitedRecord({ client, stores }: ControllerContext, ended: EndedPods): Reconcile {
  return async (key, signal) => {
    const server = stores.servers.getByKey(key)
    const waiting = ended.of(key)
    const record = stores.records.getByKey(key)
    const stale = record !== undefined && isLeftOver(record, server)
    if (stale && (await isOrphan(client, record, signal))) await remove(client, resource, record, 'Background', signal)
    if (server === undefined || server.metadata.deletionTimestamp !== undefined) return ended.forget(key, waiting)
    // A new one is made when it is gone.
    if (stale) return
    const { app, server: name } = server.spec
    const limit = frameworkOf(stores, server.metadata.namespace ?? '')?.recordLimit.texitedPod ?? fallbackLimits.texitedPod
    if (record === undefined) {
      const made = client.create(resource, { metadata: childMeta(server), app, server: name, pods: waiting.toReversed().slice(0, limit) } as never, { signal })
      return made.then((written) => (stores.records.learn(written), ended.forget(key, waiting)), unlessThere)
    }
    const known = new Set(record.pods.map(({ uid }) => uid))
    const fresh = waiting.filter(({ uid }) => !known.has(uid))
    if (fresh.length > 0) {
      // The resourceVersion goes along: another writer in between makes a conflict, and a new try.
      stores.records.learn(await client.update(resource, { ...record, pods: [...fresh.toReversed(), ...record.pods].slice(0, limit) }, { signal }))
    }
    ended.forget(key, waiting)
  }
}

function unlessThere(error: unknown): void {
  if (!isAlreadyExists(error)) throw error
}
