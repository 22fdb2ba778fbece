// What a kubelet would do for the pods of TServers, without containers: each pod gets an address and becomes ready.
import { activeCondition, labels } from '#api/names.ts'
import { silentLogger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import { Informer } from '#kube/informer.ts'
import { startReconciler } from '#kube/reconciler.ts'
import { pods } from '#kube/resources.ts'
import { keyOf } from '#kube/types.ts'

export interface PodKeeper {
  stop(): Promise<void>
}

export function startPodKeeper(client: KubeClient): PodKeeper {
  const informer = new Informer({ client, resource: pods, labelSelector: labels.server, log: silentLogger })
  let count = 0
  const reconciler = startReconciler({
    name: 'pods', log: silentLogger, capMs: 2_000,
    async reconcile(key, signal) {
      const pod = informer.getByKey(key)
      if (pod === undefined || pod.metadata.deletionTimestamp !== undefined || pod['status']?.phase === 'Running') return
      const { namespace, name, uid = '' } = pod.metadata
      count++
      const podIP = `10.244.${count >> 8}.${count & 255}`
      const [container] = pod['spec'].containers as { readonly name: string; readonly image: string }[]
      const conditions = [
        ...['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({ type, status: 'True' })),
        { type: activeCondition, status: 'True', reason: 'Active/Active/1' },
      ]
      const status = {
        phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions,
        containerStatuses: [{ name: container?.name, image: container?.image, imageID: `sha256:${uid}`, ready: true, started: true, restartCount: 0, state: { running: {} } }],
      }
      await client.patch(pods, { namespace, name }, { metadata: { uid }, status }, { subresource: 'status', signal }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    },
  })
  informer.onChange((type, pod) => void (type !== 'deleted' && reconciler.enqueue(keyOf(pod))))
  informer.start()
  informer.synced().catch(() => {})
  return {
    async stop() {
      await reconciler.stop()
      await informer.stop()
    },
  }
}
