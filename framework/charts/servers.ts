import { frameworkRoles, frameworkServer, frameworkServerName, type FrameworkRole } from '#api/seed/servers.ts'
import type { TServer } from '#api/types.ts'

/** Folders that a role writes to; each is a volume, as nothing else of its container can be written to. */
const mounts: Partial<Record<FrameworkRole, readonly [name: string, mountPath: string]>> = {
  registry: ['data', '/data'],
  config: ['data', '/data'],
  notify: ['data', '/data'],
  stat: ['data', '/data'],
  property: ['data', '/data'],
  kevent: ['data', '/data'],
  log: ['data', '/usr/local/app/tars/remote_app_log'],
  image: ['workspace', '/workspace'],
}

const env: Partial<Record<FrameworkRole, Readonly<Record<string, string>>>> = {
  registry: { TARSREGISTRY_DATA: '/data' },
  config: { TARSCONFIG_DATA: '/data' },
  notify: { TARSSTORE_DATA: '/data' },
  stat: { TARSSTORE_DATA: '/data' },
  property: { TARSSTORE_DATA: '/data' },
  kevent: { TARSSTORE_DATA: '/data' },
  // With a small young generation (MB), and one arena for all threads, its memory stays flat while gigabytes stream through.
  image: { NODE_OPTIONS: '--max-semi-space-size=2', MALLOC_ARENA_MAX: '1' },
}

/** The TServers of a framework on Kubernetes, by role. The chart puts namespace, image and release id in. */
export function chartServers(time: string): Readonly<Record<string, TServer>> {
  return Object.fromEntries(frameworkRoles.map((role) => [role, chartServer(role, time)]))
}

function chartServer(role: FrameworkRole, time: string): TServer {
  const server = frameworkServer(role, { namespace: '', release: { id: 'chart', image: 'chart' }, time })
  const mount = mounts[role]
  return {
    ...server,
    spec: {
      ...server.spec,
      k8s: {
        ...server.spec.k8s,
        serviceAccount: frameworkServerName(role),
        env: [...(server.spec.k8s.env ?? []), ...Object.entries(env[role] ?? {}).map(([name, value]) => ({ name, value }))],
        ...(mount === undefined ? {} : { mounts: [{ name: mount[0], mountPath: mount[1], source: { emptyDir: {} }, readOnly: false }] }),
      },
    },
  }
}
