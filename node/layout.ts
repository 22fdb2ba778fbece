import { join } from 'node:path'

/** Every path that tarsnode uses in a container (spec A.2), below one root. */
export interface Layout {
  /** The package's content, put there by the image. */
  readonly packageBin: string
  readonly workDir: string
  /** Logs of all servers; a server's own folder is `<logRoot>/<App>/<Server>`. */
  readonly logRoot: string
  readonly hostsFile: string
  readonly localtime: string
  readonly timezoneFile: string
  readonly zoneinfo: string
  /** Where the kubelet reads, after the end of the container, why it ended (Kubernetes, "Customizing the termination message"). */
  readonly terminationLog: string
}

/** @param root `/` in a container; a folder of its own in tests and where the root is not ours */
export function layoutAt(root = '/'): Layout {
  const at = (path: string): string => join(root, path)
  return Object.freeze({
    packageBin: at('/usr/local/server/bin'),
    workDir: at('/usr/local/app/tars/tarsnode'),
    logRoot: at('/usr/local/app/tars/app_log'),
    hostsFile: at('/etc/hosts'),
    localtime: at('/etc/localtime'),
    timezoneFile: at('/etc/timezone'),
    zoneinfo: at('/usr/share/zoneinfo'),
    terminationLog: at('/dev/termination-log'),
  })
}

/** The folders and files of one server (spec A.3); what the environment of the service names. */
export interface ServerPaths {
  readonly baseDir: string
  readonly binDir: string
  readonly confDir: string
  readonly dataDir: string
  readonly logRoot: string
  readonly logDir: string
  readonly confFile: string
  /** The last good descriptor: the service starts from it when the registry is away. */
  readonly descriptorFile: string
}

export function serverPaths(layout: Layout, app: string, server: string): ServerPaths {
  const module = `${app}.${server}`
  const baseDir = join(layout.workDir, 'data', module)
  const confDir = join(baseDir, 'conf')
  return Object.freeze({
    baseDir,
    binDir: join(baseDir, 'bin'),
    confDir,
    dataDir: join(baseDir, 'data'),
    logRoot: layout.logRoot,
    logDir: join(layout.logRoot, app, server),
    confFile: join(confDir, `${module}.config.conf`),
    descriptorFile: join(baseDir, 'descriptor.json'),
  })
}

/** NodeObj on the pod's address; published nowhere (spec A.7). */
export const NODE_PORT = 19385
/** ServerObj on the local address. */
export const SERVER_PORT = 19386
/** The business server's AdminObj on the local address. */
export const ADMIN_PORT = 1000
/** Probes, status and metrics, on the local address and the pod's. */
export const HTTP_PORT = 19387
/** On the local address, of a service whose SDK cannot read the registry's name; see server-config/addresses.ts. */
export const LOCATOR_PORT = 19388
export const QUERY_PORT = 17890
export const REGISTRY_PORT = 17891

/** Where the supervisor's own files are in an image; see files.ts. */
export const SUPERVISOR_DIR = '/tarsnode'

const loaders = { x64: 'ld-linux-x86-64.so.2', arm64: 'ld-linux-aarch64.so.1' } as const
export type Architecture = keyof typeof loaders

/** The name of glibc's loader. */
export const loaderName = (arch: Architecture): string => loaders[arch]

/** Heap bounds only: most other flags of V8 make it refuse the compiled code that the runtime brings, which costs half of a start. */
export const RUNTIME_FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1', '--max-old-space-size=64'] as const

/**
 * What starts the supervisor's files that lie below `dir`: their own loader starts their own runtime with their own
 * libraries, so that nothing of the base image is needed, not even /lib64, and nothing leaks into the service's environment.
 */
export const supervisorCommand = (arch: Architecture, dir: string = SUPERVISOR_DIR): readonly string[] => [
  `${dir}/lib/${loaderName(arch)}`,
  '--library-path',
  `${dir}/lib`,
  `${dir}/bin/node`,
  ...RUNTIME_FLAGS,
  `${dir}/tarsnode.cjs`,
]

/** The executable that is all of this command in one word; see launcher.ts. */
export const launcherPath = (dir: string = SUPERVISOR_DIR): string => `${dir}/bin/tarsk8s`

/** The image's ENTRYPOINT, the same on every architecture. */
export const ENTRYPOINT: readonly string[] = [launcherPath(), 'node']
