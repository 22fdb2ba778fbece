import { buildImage, type BuildOptions, type BuiltImage } from '../build.ts'
import { inRegistry } from '../oci/location.ts'
import { readSupervisors } from '../supervisor.ts'
import { registryAccess } from './access.ts'
import type { BuildFacts, BuildPorts } from './build.ts'

/** What the maker of an image hears of its caller, and the caller of it. */
export type Making = Required<Pick<BuildOptions, 'signal' | 'confirmed' | 'onProgress' | 'onNote'>> & Pick<BuildOptions, 'arrival'>

/** Makes the image of a build, with what the cluster and this builder have for it. */
export async function makeImage({ request, spelling: { server, known, entrance }, base, image, package: received }: BuildFacts, { env, cluster, members, configs }: BuildPorts, making: Making): Promise<BuiltImage> {
  const kept = await members?.build()
  try {
    const [supervisors, access, baseAccess, signing] = await Promise.all([
      readSupervisors(env.supervisor),
      registryAccess(request.secret, cluster, env),
      registryAccess(base.secret || request.secret, cluster, env),
      cluster.signingKey(env.signSecret),
    ])
    making.signal.throwIfAborted()
    return await buildImage({
      package: received.file, app: request.app, server, serverType: request.serverType, anyCase: !known && server === server.toLowerCase(), entrances: [request.entrance, entrance].filter((path) => path !== ''),
      base: inRegistry(base.image), destination: inRegistry(image), access, baseAccess: { ...baseAccess, configs }, supervisors, limits: env.limits, ...(kept && { members: kept }), codec: env.codec,
      sbom: env.sbom, ...signing, ...making,
    })
  } finally {
    await kept?.close()
  }
}
