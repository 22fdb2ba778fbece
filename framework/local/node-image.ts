// The node image: the supervisor's layer FROM scratch, which injects tarsnode into pods whose own image has another one, or none.
import { createHash } from 'node:crypto'
import { hubApiVersion, names, paths } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { KubeClient } from '#kube/client.ts'
import { composeImage, type ComposedImage } from '../../imagebuilder/compose.ts'
import { parseLocation, type ImageLocation } from '../../imagebuilder/oci/location.ts'
import type { RegistryAccess } from '../../imagebuilder/oci/session.ts'
import type { SupervisorLayer } from '../../imagebuilder/supervisor.ts'
import { supervisorLayer } from './supervisor-layer.ts'

export interface NodeImageOptions {
  /** The supervisor's layer is kept here. */
  readonly cacheDir: string
  /** Of the registry, where that is the destination. */
  readonly access?: RegistryAccess
  readonly signal?: AbortSignal
}

/** As an init container it copies itself; as a volume it is mounted and its entry point does not count. */
const config = { Entrypoint: [paths.supervisorLauncher, 'node', 'install'] } as const

/** Puts the node image into the cluster's registry and records it as the TImage `tarsnode`. @returns its reference, for TFrameworkConfig.nodeImage or release.nodeImage */
export async function publishNodeImage(client: KubeClient, namespace: string, options: NodeImageOptions & { readonly registry: string }): Promise<string> {
  const { layer } = await supervisorLayer(options.cacheDir, options.signal)
  // The tag follows the content: another supervisor is another image, which pods are rolled to one by one.
  const id = createHash('sha256').update(JSON.stringify([layer.diffId, config])).digest('hex').slice(0, 12)
  const { image } = await compose(layer, parseLocation(`${options.registry}/tars.tarsnode:${id}`), options)
  const timage = { apiVersion: hubApiVersion, kind: 'TImage', metadata: { name: names.nodeContainer, namespace }, imageType: 'node', releases: [{ id: `builtin-tarsnode-${id}`, image }] }
  await client.patch(resources.timages as never, { namespace, name: names.nodeContainer }, timage, { type: 'apply', fieldManager: 'tarsk8s-local', force: true })
  return image
}

/** Writes the node image to any place. */
export async function writeNodeImage(destination: ImageLocation, options: NodeImageOptions): Promise<ComposedImage> {
  const { layer } = await supervisorLayer(options.cacheDir, options.signal)
  return compose(layer, destination, options)
}

function compose(layer: SupervisorLayer, destination: ImageLocation, { access, signal }: NodeImageOptions): Promise<ComposedImage> {
  return composeImage({ layers: [{ ...layer, createdBy: 'tarsnode' }], config, destination, ...(access === undefined ? {} : { access }), ...(signal === undefined ? {} : { signal }) })
}
