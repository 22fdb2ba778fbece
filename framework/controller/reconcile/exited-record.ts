import { fallbackLimits, labels } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TExitedPod, TExitedRecord } from '#api/types.ts'
import { isAlreadyExists } from '#kube/errors.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { childMeta } from '../desired/meta.ts'
import { frameworkOf, serverKeyOf, type ControllerContext } from './context.ts'

const resource = resources.texitedrecords as Resource<TExitedRecord>

/** Pods that ended but are not recorded yet, by server: a pod deleted by force is gone before anything else tells of its end. */
export class EndedPods {
  readonly #pods = new Map<string, Map<string, TExitedPod>>()

  /** Notes the pod when it is ending. @param gone it exists no more @returns key of its server when there is something to record */
  note(pod: AnyObject, gone: boolean, now: () => string): string | undefined {
    const { uid = '', deletionTimestamp, deletionGracePeriodSeconds = 0 } = pod.metadata
    if (deletionTimestamp === undefined && !gone) return undefined
    const key = serverKeyOf(pod)
    const ended = this.#pods.get(key) ?? new Map<string, TExitedPod>()
    if (!ended.has(uid)) ended.set(uid, exitedPod(pod, deletionTimestamp === undefined ? now() : earlier(deletionTimestamp, deletionGracePeriodSeconds)))
    this.#pods.set(key, ended)
    return key
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
    if (server === undefined || server.metadata.deletionTimestamp !== undefined) return ended.forget(key, waiting)
    const { app, server: name } = server.spec
    const record = stores.records.getByKey(key)
    if (record === undefined) {
      await client.create(resource, { metadata: childMeta(server), app, server: name, pods: [] } as never, { signal }).then((made) => stores.records.learn(made), unlessThere)
      return
    }
    const known = new Set(record.pods.map(({ uid }) => uid))
    const fresh = waiting.filter(({ uid }) => !known.has(uid))
    if (fresh.length > 0) {
      const limit = frameworkOf(stores, server.metadata.namespace ?? '')?.recordLimit.texitedPod ?? fallbackLimits.texitedPod
      // The resourceVersion goes along: another writer in between makes a conflict, and a new try.
      stores.records.learn(await client.update(resource, { ...record, pods: [...fresh.toReversed(), ...record.pods].slice(0, limit) }, { signal }))
    }
    ended.forget(key, waiting)
  }
}

function unlessThere(error: unknown): void {
  if (!isAlreadyExists(error)) throw error
}
