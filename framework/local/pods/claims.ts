import { chmod, chown, mkdir } from 'node:fs/promises'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { isAlreadyExists, isNotFound } from '#kube/errors.ts'
import type { Informer } from '#kube/informer.ts'
import { persistentVolumes } from '#kube/resources.ts'
import { claimResource } from './kinds.ts'
import type { Claim, Pod } from './kinds.ts'
import type { Layout } from './layout.ts'
import { removeTree } from './remove-tree.ts'

/** Wishes about a local volume's folder (K8SFramework, TLV). The second name of the mode is what old controllers write. */
const annotations = { uid: 'tars.io/LocalVolumeUID', gid: 'tars.io/LocalVolumeGID', mode: 'tars.io/LocalVolumeMode' } as const
const defaultMode = '755'

export interface ClaimOptions {
  readonly client: KubeClient
  readonly layout: Layout
  readonly claims: Informer<Claim>
  readonly nodeName: string
  readonly log: Logger
  /** Pods that may use a claim. */
  pods(): readonly Pod[]
}

/**
 * Binds every claim to a folder below the data folder, with a PersistentVolume of reclaim policy Delete: deleting the claim
 * deletes the data, once no pod uses it.
 */
export class Claims {
  readonly #options: ClaimOptions
  constructor(options: ClaimOptions) {
    this.#options = options
    options.claims.onChange((type, claim) => this.#changed(type, claim).catch((error: unknown) => options.log.error('claim not handled', { claim: claim.metadata.name, error })))
  }

  /** The folder of a bound claim; undefined while there is none. */
  async folderOf(namespace: string, name: string): Promise<string | undefined> {
    const claim = this.#options.claims.get(namespace, name)
    if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return undefined
    return this.#makeFolder(claim)
  }

  async #changed(type: 'added' | 'updated' | 'deleted', claim: Claim): Promise<void> {
    if (type === 'deleted') return this.#release(claim)
    if (claim.metadata.deletionTimestamp !== undefined || claim.status?.phase === 'Bound') return
    await this.#makeFolder(claim)
    await this.#bind(claim)
  }

  async #makeFolder({ metadata }: Claim): Promise<string> {
    const folder = this.#options.layout.claimFolder(metadata.namespace ?? 'default', metadata.name)
    const created = await mkdir(folder, { recursive: true })
    if (created === undefined) return folder
    const read = (key: string, fallback: string): string => metadata.annotations?.[key] ?? fallback
    const [uid, gid] = [Number(read(annotations.uid, '0')), Number(read(annotations.gid, '0'))]
    if (process.getuid?.() === 0 && Number.isInteger(uid) && Number.isInteger(gid)) await chown(folder, uid, gid)
    const mode = Number.parseInt(read(annotations.mode, defaultMode), 8)
    await chmod(folder, Number.isNaN(mode) ? 0o755 : mode & 0o7777)
    return folder
  }

  async #bind(claim: Claim): Promise<void> {
    const { client, layout, nodeName } = this.#options
    const { namespace = 'default', name, uid = '' } = claim.metadata
    const volumeName = `local-${uid}`
    const capacity = { storage: claim.spec.resources?.requests?.['storage'] ?? '1Gi' }
    const accessModes = claim.spec.accessModes ?? ['ReadWriteOnce']
    const volume = {
      metadata: { name: volumeName, labels: claim.metadata.labels ?? {} },
      spec: {
        capacity, accessModes, storageClassName: claim.spec.storageClassName ?? '', persistentVolumeReclaimPolicy: 'Delete', volumeMode: 'Filesystem',
        local: { path: layout.claimFolder(namespace, name) },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] }] }] } },
      },
    }
    await client.create(persistentVolumes, volume as object as { metadata: { name: string } }).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
    await client.patch(persistentVolumes, { name: volumeName }, { status: { phase: 'Bound' } }, { subresource: 'status' })
    await client.patch(claimResource, { namespace, name }, { spec: { volumeName } })
    await client.patch(claimResource, { namespace, name }, { status: { phase: 'Bound', accessModes, capacity } }, { subresource: 'status' })
  }

  async #release(claim: Claim): Promise<void> {
    const { client, layout, log } = this.#options
    const { namespace = 'default', name, uid = '' } = claim.metadata
    await client.delete(persistentVolumes, { name: `local-${uid}` }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
    const users = this.#options.pods().filter((pod) => pod.metadata.namespace === namespace && pod.spec.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === name) === true)
    if (users.length > 0) return log.error('claim deleted while pods use it; its folder stays', { claim: `${namespace}/${name}`, pods: users.map((pod) => pod.metadata.name) })
    await removeTree(layout.claimFolder(namespace, name))
    log.info('volume removed with its claim', { claim: `${namespace}/${name}` })
  }
}
