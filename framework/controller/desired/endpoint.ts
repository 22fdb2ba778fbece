import { hubApiVersion } from '#api/names.ts'
import type { TEndpoint, TServer } from '#api/types.ts'
import { childMeta } from './meta.ts'

/** The TEndpoint of a server without its status (control-plane spec C.5). */
export function desiredEndpoint(server: TServer): TEndpoint {
  const { app, server: name, variant, important, subType, tars, normal, k8s, release } = server.spec
  const hostPorts = k8s.hostPorts ?? []
  return {
    apiVersion: hubApiVersion,
    kind: 'TEndpoint',
    metadata: childMeta(server),
    spec: {
      app, server: name, important, subType,
      ...(variant === undefined ? {} : { variant }),
      ...(tars === undefined ? {} : { tars }),
      ...(normal === undefined ? {} : { normal }),
      ...(hostPorts.length === 0 ? {} : { hostPorts }),
      ...(release === undefined ? {} : { release }),
    },
  }
}
