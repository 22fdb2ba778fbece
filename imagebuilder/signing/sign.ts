// Signatures in cosign's format (sigstore/cosign SIGNATURE_SPEC.md): a payload that names the image by its digest, signed,
// in an image of its own under the tag sha256-<hex>.sig beside it.
import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { digestHex, digestOf } from '../oci/digest.ts'
import { tagged } from '../oci/referrers.ts'
import type { Repository } from '../oci/registry.ts'
import { mediaTypes, type Descriptor, type Manifest } from '../oci/types.ts'

const payloadType = 'application/vnd.dev.cosign.simplesigning.v1+json'
const signatureKey = 'dev.cosignproject.cosign/signature'

/** Signs the image of a digest, unless this key has; signatures by others stay. */
export async function signImage(repository: Repository, digest: string, key: KeyObject, signal?: AbortSignal): Promise<void> {
  const tag = `sha256-${digestHex(digest)}.sig`
  const payload = Buffer.from(JSON.stringify({ critical: { identity: { 'docker-reference': `${repository.registry}/${repository.name}` }, image: { 'docker-manifest-digest': digest }, type: 'cosign container image signature' }, optional: null }))
  const present = (await tagged<Manifest>(repository, tag, signal))?.layers ?? []
  const layer: Descriptor = { mediaType: payloadType, digest: digestOf(payload), size: payload.length }
  if (present.some((one) => one.digest === layer.digest && isOurs(one, payload, key))) return
  const layers = [...present, { ...layer, annotations: { [signatureKey]: sign('sha256', payload, key).toString('base64') } }]
  const config = Buffer.from(JSON.stringify({ architecture: '', os: '', config: {}, rootfs: { type: 'layers', diff_ids: layers.map((one) => one.digest) } }))
  await repository.putBlob(layer.digest, payload, 'uploading a signature', signal)
  await repository.putBlob(digestOf(config), config, 'uploading the configuration of a signature', signal)
  const manifest: Manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length }, layers }
  await repository.putManifest(tag, mediaTypes.ociManifest, Buffer.from(JSON.stringify(manifest)), signal)
}

function isOurs({ annotations }: Descriptor, payload: Buffer, key: KeyObject): boolean {
  return verify('sha256', payload, createPublicKey(key), Buffer.from(annotations?.[signatureKey] ?? '', 'base64'))
}
