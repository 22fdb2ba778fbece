import { completeServer, type Sparse } from '#api/default.ts'
import type { TServer, TServerSpec } from '#api/types.ts'

export const release = { id: 'v1', image: 'registry.test/demo.hello:v1', time: '2024-01-01T00:00:00Z' } as const

/** Demo.Hello with one servant, released, as the API server would store it. */
export function tarsServer(spec: Sparse<TServerSpec> = {}, metadata: Partial<TServer['metadata']> = {}): TServer {
  return completeServer({ name: 'demo-hello', namespace: 'ns', uid: 'uid-1', ...metadata }, {
    app: 'Demo', server: 'Hello', subType: 'tars',
    ...(spec.normal === undefined ? { tars: { template: 'tars.default', servants: [{ name: 'HelloObj', port: 8000 }] } } : {}),
    release, ...spec,
    k8s: { replicas: 1, readinessGates: ['tars.io/active'], ...spec.k8s },
  })
}

/** Demo.Web: not a Tars server. */
export function normalServer(spec: Sparse<TServerSpec> = {}, metadata: Partial<TServer['metadata']> = {}): TServer {
  return completeServer({ name: 'demo-web', namespace: 'ns', uid: 'uid-2', ...metadata }, {
    app: 'Demo', server: 'Web', subType: 'normal', normal: { ports: [{ name: 'http', port: 80 }] }, release, ...spec, k8s: { replicas: 1, ...spec.k8s },
  })
}

/** The server without its release. */
export function unreleased(server: TServer): TServer {
  const { release: _, ...spec } = server.spec
  return { ...server, spec }
}
