import { firstOf, parseDockerConfig } from '../../../../imagebuilder/oci/auth.ts'
import type { Credentials } from '../../../../imagebuilder/oci/auth.ts'
import { formatReference, manifestName, parseReference } from '../../../../imagebuilder/oci/reference.ts'
import { openRepository } from '../../../../imagebuilder/oci/registry.ts'
import type { Secret } from '../kinds.ts'
import { pullImage } from './pull.ts'
import type { LocalImage } from './pull.ts'
import type { ImageStore } from './store.ts'

/**
 * Pulls an image from the registry that its reference names.
 * @param credentials who to be there
 * @throws IMAGE_REFERENCE_INVALID, REGISTRY_*, IMAGE_*
 */
export async function pullFromRegistry(text: string, store: ImageStore, credentials: Credentials): Promise<LocalImage> {
  const reference = parseReference(text)
  const { repository, close } = openRepository(reference.registry, reference.repository, 'pull', { credentials, attempts: 3 })
  try {
    return await pullImage(formatReference(reference), {
      repository: `${reference.registry}/${reference.repository}`,
      async manifest(digest) {
        const { body, digest: found } = await repository.manifest(digest ?? manifestName(reference))
        return { bytes: body, digest: found }
      },
      blob: (descriptor) => repository.blob(descriptor),
    }, store)
  } finally {
    close()
  }
}

/** Credentials of a pod's imagePullSecrets (types kubernetes.io/dockerconfigjson and dockercfg), then those given. */
export function secretCredentials(secrets: readonly Secret[], otherwise: Credentials): Credentials {
  const own = secrets.flatMap(({ metadata, data }) => {
    const text = data?.['.dockerconfigjson'] ?? data?.['.dockercfg']
    return text === undefined ? [] : [parseDockerConfig(Buffer.from(text, 'base64').toString('utf8'), `Secret ${metadata.name}`)]
  })
  return firstOf(...own, otherwise)
}
