import { usualBases } from '#api/seed/images.ts'
import { readEnv } from '#base/env.ts'
import type { Environment } from '#base/lifecycle.ts'

/** What the chart tells of the framework that is to be there. */
export interface SeedEnv {
  readonly namespace: string
  /** `TARSSEED_IMAGES`: registry and path of the framework's, node and base images. */
  readonly images: string
  /** `TARSSEED_TAG`: of those images. */
  readonly tag: string
  /** `TARSSEED_SECRET`: their pull secret; none. */
  readonly secret: string
  /** `TARSSEED_UPLOAD`: registry and path that images of services are pushed to. */
  readonly upload: string
  /** `TARSSEED_UPLOAD_SECRET`: secret of that registry; none. */
  readonly uploadSecret: string
  /** `TARSSEED_ELK`: `host:port` or addresses of the document store, separated by commas; none. */
  readonly elkNodes: readonly string[]
  /** `TARSSEED_BASES`: TImages of base images to offer, separated by commas; default one a language. */
  readonly bases: readonly string[]
}

const listOf = (text: string): string[] => text.split(',').map((item) => item.trim()).filter((item) => item !== '')

/** @throws Failure ENV_INVALID */
export function seedEnv(env: Environment): SeedEnv {
  const read = readEnv(env)
  return Object.freeze({
    namespace: read.required('Namespace'),
    images: read.required('TARSSEED_IMAGES'),
    tag: read.required('TARSSEED_TAG'),
    secret: read.optional('TARSSEED_SECRET', ''),
    upload: read.required('TARSSEED_UPLOAD'),
    uploadSecret: read.optional('TARSSEED_UPLOAD_SECRET', ''),
    elkNodes: listOf(read.optional('TARSSEED_ELK', '')),
    bases: listOf(read.optional('TARSSEED_BASES', usualBases.join(','))),
  })
}
