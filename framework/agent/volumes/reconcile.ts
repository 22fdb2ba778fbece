import { annotations, labels, names, nodeLabel } from '#api/names.ts'
import { longestDnsName } from '#base/address.ts'
import { Failure } from '#base/errors.ts'
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import { TerminalError, type Reconcile, type ReconcileResult } from '#kube/reconciler.ts'
import { tellEvent } from '#kube/event.ts'
import { isLeaving, type ObjectMeta } from '#kube/types.ts'
import { desiredVolume, folderFinalizer, offersAnnotation } from './desired.ts'
import type { HostFolders } from './host-folders.ts'
import { claimResource, volumeResource, type Claim, type Volume } from './kinds.ts'
import { isSameOwner, ownerAnnotations, ownerOf, type Owner } from './owner.ts'
import { pathOf, placeOfClaim, placeOfVolume, type Place } from './place.ts'
import type { VolumeStores } from './stores.ts'

export interface VolumeContext {
  readonly client: KubeClient
  readonly stores: VolumeStores
  readonly folders: HostFolders
  readonly clock: Clock
  readonly log: Logger
  /** Milliseconds after which a volume that nobody took and nobody waits for goes. */
  readonly unusedMs: number
}

/**
 * Local volumes of this node, by name of the volume (control-plane spec C.15). The folder comes before the volume and goes before
 * it; so whenever this process ends, the API server has what is left to do.
 */
export function reconcileVolume(context: VolumeContext): Reconcile {
  const { stores } = context
  return async (name, signal) => {
    const volume = stores.volumes.get(undefined, name)
    if (volume === undefined) return await provision(context, name)
    if (!stores.isOurs(volume)) return await refuseTaken(context, name)
    if (isLeaving(volume)) return await letGo(context, volume, signal)
    switch (volume.status?.phase) {
      case 'Released':
      case 'Failed':
        return await reclaim(context, volume, signal)
      case 'Bound':
        return await keep(context, volume)
      default:
        return await dropUnused(context, volume)
    }
  }
}

const waitsFor = (claim: Claim, name: string): boolean =>
  !isLeaving(claim) && (claim.spec.volumeName ?? name) === name && ((claim.status?.phase ?? 'Pending') === 'Pending' || (claim.status?.phase === 'Lost' && claim.spec.volumeName === name))

/** The claim that the volume of this name is made for, the oldest one. */
function waiting({ stores }: VolumeContext, name: string): Claim | undefined {
  return stores.claimsOf(name).filter((claim) => waitsFor(claim, name))
    .toSorted((one, other) => (one.metadata.creationTimestamp ?? '').localeCompare(other.metadata.creationTimestamp ?? ''))[0]
}

/** Nodes serve the namespaces that they are labelled for; but for the volume that only pins a pod, they must be labelled for volumes, too. */
function serves({ stores }: VolumeContext, { namespace, volume }: Place): boolean {
  const given = stores.node.get(undefined, stores.nodeName)?.metadata.labels ?? {}
  return nodeLabel(namespace) in given && (volume === names.delayBind || labels.supportLocalVolume in given)
}

async function provision(context: VolumeContext, name: string): Promise<void> {
  const { client, stores, folders, log } = context
  const claim = waiting(context, name)
  const place = claim === undefined ? undefined : placeOfClaim(claim)
  if (claim === undefined || place === undefined || !serves(context, place)) return
  const { owner, reclaimPolicy } = await check(context, claim, name)
  await folders.make(place, owner)
  const { namespace, name: claimName, uid } = claim.metadata
  const claimRef = claim.status?.phase === 'Lost' ? { namespace: namespace ?? '', name: claimName, uid: uid ?? '' } : undefined
  await client.create(volumeResource, desiredVolume({ name, path: pathOf(folders.base, place), claim, owner, hostname: stores.hostname, reclaimPolicy, claimRef }))
  log.info('local volume made', { volume: name, claim: `${namespace}/${claimName}`, ...ownerAnnotations(owner) })
}

/** What the claim wishes, or an event that says why it cannot be. */
async function check({ client, stores }: VolumeContext, claim: Claim, name: string): Promise<{ owner: Owner; reclaimPolicy: string }> {
  try {
    const { storageClassName = '', volumeMode = 'Filesystem' } = claim.spec
    const found = stores.classes.get(undefined, storageClassName)
    if (found === undefined) throw new Failure('STORAGE_CLASS_MISSING', `there is no StorageClass ${storageClassName}`, { remedy: 'install the chart tarscontroller, which has it' })
    if (volumeMode !== 'Filesystem') throw new Failure('LOCAL_VOLUME_INVALID', `volumeMode is ${volumeMode}, and local volumes are folders`, { remedy: 'set it to Filesystem' })
    if (!isObjectName(name)) throw new Failure('LOCAL_VOLUME_INVALID', `a volume cannot be called ${name}`, { remedy: `use shorter names, and small letters in the label ${labels.localVolume}` })
    return { owner: ownerOf(claim.metadata), reclaimPolicy: found.reclaimPolicy ?? 'Delete' }
  } catch (error) {
    throw await told(client, claim, error)
  }
}

const isObjectName = (name: string): boolean => name.length <= longestDnsName && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name)

/** Tells a failure that only a change by somebody can mend to the claim's owner. */
async function told(client: KubeClient, claim: Claim, error: unknown): Promise<unknown> {
  if (!(error instanceof Failure)) return error
  const { code, message, remedy = '' } = error
  const reason = code.toLowerCase().replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())
  await tellEvent({ client, component: 'tarsagent', now: Date.now() }, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: claim.metadata }, { type: 'Warning', reason, message: `${message}; ${remedy}` })
  return new TerminalError(code, message, { remedy })
}

async function refuseTaken(context: VolumeContext, name: string): Promise<void> {
  const claim = waiting(context, name)
  if (claim === undefined) return
  throw await told(context.client, claim, new Failure('VOLUME_NAME_TAKEN', `PersistentVolume ${name} exists and is not of this node's agent`, { remedy: 'delete it' }))
}

/** A bound volume: its folder is there, and its owner and mode follow the claim's annotations, which may come late. */
async function keep(context: VolumeContext, volume: Volume): Promise<void> {
  const { client, stores, folders } = context
  await protect(context, volume)
  const { namespace, name = '', uid } = volume.spec.claimRef ?? {}
  const claim = stores.claims.get(namespace, name)
  if (claim === undefined || claim.metadata.uid !== uid) return
  const wished = await wishOf(context, claim)
  if (isMarked(volume) && isSameOwner(wished, ownerOf(volume.metadata))) return
  await folders.make(placeOf(context, volume), wished)
  await client.patch(volumeResource, { name: volume.metadata.name }, { metadata: { annotations: ownerAnnotations(wished) } })
}

/** K8SFramework's volumes do not say what their folder was given; it may have been mode 000. */
const isMarked = ({ metadata }: Volume): boolean => metadata.annotations?.[annotations.localVolumeMode] !== undefined

async function wishOf({ client }: VolumeContext, claim: Claim): Promise<Owner> {
  try {
    return ownerOf(claim.metadata)
  } catch (error) {
    throw await told(client, claim, error)
  }
}

/** Volumes of K8SFramework get our finalizer, so that their data is not forgotten. */
async function protect({ client }: VolumeContext, { metadata }: Volume): Promise<void> {
  const { name, resourceVersion = '', finalizers = [] } = metadata
  if (finalizers.includes(folderFinalizer)) return
  await client.patch(volumeResource, { name }, { metadata: { resourceVersion, finalizers: [...finalizers, folderFinalizer] } })
}

/** The claim is gone. Delete: data and volume go. Retain: both stay until somebody deletes the volume, and the data stays then, too. */
async function reclaim(context: VolumeContext, volume: Volume, signal: AbortSignal): Promise<ReconcileResult | void> {
  const present = await live(context, volume)
  if (present === undefined || !isForDeletion(present)) return
  await protect(context, present)
  await removeData(context, present, signal)
  await deleteVolume(context, present)
}

/** Somebody deleted the volume; it is held until its folder is in the state that the reclaim policy asks for. */
async function letGo(context: VolumeContext, volume: Volume, signal: AbortSignal): Promise<void> {
  const present = await live(context, volume)
  if (present === undefined || !(present.metadata.finalizers ?? []).includes(folderFinalizer)) return
  if (await isClaimed(context, present)) return
  if (isForDeletion(present)) await removeData(context, present, signal)
  else if (present.spec.claimRef === undefined) await context.folders.removeEmpty(placeOf(context, present))
  const { name, resourceVersion = '', finalizers = [] } = present.metadata
  await context.client.patch(volumeResource, { name }, { metadata: { resourceVersion, finalizers: finalizers.filter((finalizer) => finalizer !== folderFinalizer) } })
  context.log.info('local volume gone', { volume: name, data: isForDeletion(present) ? 'removed' : 'kept' })
}

/** A volume that no claim ever took has no data of its own: what may lie in its folder was kept there on purpose. */
const isForDeletion = ({ spec: { claimRef, persistentVolumeReclaimPolicy } }: Volume): boolean => claimRef?.uid !== undefined && persistentVolumeReclaimPolicy === 'Delete'

async function removeData(context: VolumeContext, volume: Volume, signal: AbortSignal): Promise<void> {
  if (await isClaimed(context, volume)) throw new Failure('VOLUME_CLAIMED', `PersistentVolume ${volume.metadata.name} is said to be released, and its claim is there`, { temporary: true })
  await context.folders.remove(placeOf(context, volume), signal)
}

/** A volume that nobody took goes in time, unless a claim waits for one. */
async function dropUnused(context: VolumeContext, volume: Volume): Promise<ReconcileResult | void> {
  await protect(context, volume)
  if (volume.status?.phase !== 'Available') return
  const ageMs = context.clock.now() - Date.parse(volume.metadata.creationTimestamp ?? '')
  if (waiting(context, volume.metadata.name) !== undefined) return await offer(context, volume, ageMs)
  const leftMs = context.unusedMs - ageMs
  if (leftMs > 0) return { requeueAfterMs: leftMs }
  await deleteVolume(context, volume)
}

/** Ages at which a volume that is still waited for is offered again. Milliseconds. */
const offersMs = [2000, 10_000, 40_000] as const
const offersEndMs = 120_000

/**
 * The scheduler may be told of a new volume, look for it a moment before it can be had, and not look again for minutes (seen with
 * 1.34, about every eighth time). A change of the volume makes it look.
 */
async function offer({ client }: VolumeContext, { metadata }: Volume, ageMs: number): Promise<ReconcileResult | void> {
  const offers = Number(metadata.annotations?.[offersAnnotation] ?? 0)
  const dueMs = offersMs[offers]
  if (dueMs === undefined || ageMs > offersEndMs) return
  if (ageMs < dueMs) return { requeueAfterMs: dueMs - ageMs }
  await client.patch(volumeResource, { name: metadata.name }, { metadata: { annotations: { [offersAnnotation]: String(offers + 1) } } })
}

async function deleteVolume({ client }: VolumeContext, { metadata }: Volume): Promise<void> {
  await client.delete(volumeResource, { name: metadata.name }, { preconditions: preconditions(metadata) }).catch(unlessGone)
}

/** What was decided holds only for the object that it was decided on. */
function preconditions({ uid, resourceVersion }: ObjectMeta): { readonly uid?: string; readonly resourceVersion?: string } {
  return { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) }
}

/** Asked of the API server itself, because removing data on old knowledge could not be undone. */
async function live({ client }: VolumeContext, { metadata: { name, uid } }: Volume): Promise<Volume | undefined> {
  const found = await client.get(volumeResource, { name }).catch(unlessGone)
  return found?.metadata.uid === uid ? found : undefined
}

async function isClaimed({ client }: VolumeContext, { spec: { claimRef } }: Volume): Promise<boolean> {
  if (claimRef?.name === undefined) return false
  const claim = await client.get(claimResource, { namespace: claimRef.namespace, name: claimRef.name }).catch(unlessGone)
  return claim !== undefined && (claimRef.uid === undefined || claim.metadata.uid === claimRef.uid)
}

function placeOf({ folders }: VolumeContext, volume: Volume): Place {
  const place = placeOfVolume(folders.base, volume)
  if (place === undefined) throw new TerminalError('VOLUME_PATH_FOREIGN', `PersistentVolume ${volume.metadata.name} has the path ${volume.spec.local?.path ?? ''}, which is no local volume below ${folders.base}`, { remedy: 'delete it, or set TLVInHost to where it was made' })
  return place
}

function unlessGone(error: unknown): undefined {
  if (!isNotFound(error)) throw error
}
