import { longestDnsName } from '#base/address.ts'
import { readEnv } from '#base/env.ts'
import type { Environment } from '#base/lifecycle.ts'
import { Failure } from '#base/errors.ts'
import type { Account } from '#tars/auth.ts'
import { serverTypes, type ServerType } from './launch/plan.ts'
import { ADMIN_PORT, HTTP_PORT, layoutAt, LOCATOR_PORT, NODE_PORT, QUERY_PORT, REGISTRY_PORT, SERVER_PORT, serverPaths, type Layout, type ServerPaths } from './layout.ts'

/** Host and port of QueryObj, and port of RegistryObj on the same host. */
export interface RegistryAddress {
  readonly host: string
  readonly queryPort: number
  readonly registryPort: number
  /** Both speak TLS, and what tarsnode then trusts; absent: they do not. */
  readonly tls?: { readonly caFile: string | undefined; readonly name: string | undefined } | undefined
  /** Both want an account. */
  readonly auth?: boolean
}

/** Everything that the environment says, parsed once and frozen. */
export interface Settings {
  readonly podName: string
  readonly podIP: string
  readonly app: string
  readonly server: string
  readonly type: ServerType
  /** background: tarsnode is PID 1 and the service below it; foreground: the service is PID 1 and tarsnode beside it. */
  readonly launcher: 'background' | 'foreground'
  /** lower(PodName.ServerApp-ServerName): the pod's DNS name in its headless Service. */
  readonly listenAddress: string
  readonly layout: Layout
  readonly paths: ServerPaths
  /** Where ServerObj listens and where the business server's AdminObj is asked. */
  readonly localAddress: string
  readonly adminPort: number
  /** undefined: there is none, which only a service that is no Tars server can do without. */
  readonly registry: RegistryAddress | undefined
  /** What tarsnode shows to servants of the framework that want an account. */
  readonly account: Account | undefined
  readonly nodePort: number
  readonly serverPort: number
  /** Of probes, status and metrics. */
  readonly httpPort: number
  /** Of the way to the registry for a php service; see server-config/addresses.ts. */
  readonly locatorPort: number
  readonly graceMs: number
  /** undefined: the template's drain-delay decides, or who else serves. */
  readonly drainMs: number | undefined
  /** What follows when the service ends by itself: launch it again, or exit with its outcome as tini does. */
  readonly onExit: 'restart' | 'exit'
  readonly stdoutFile: { readonly maxBytes: number; readonly keep: number }
  /** The container's environment, for the service. */
  readonly container: Readonly<Record<string, string>>
}

/** The environment as it was before the launcher hid from the supervisor's loader and runtime what they would obey; see launcher.ts. */
export const unhidden = (env: Environment): Environment =>
  Object.fromEntries(Object.entries(env).map(([name, value]) => [name.replace(/^lD_|^nODE/, (hidden) => hidden.toUpperCase()), value]))

/**
 * | variable | meaning | default |
 * |---|---|---|
 * | PodName, PodIP, ServerApp, ServerName, ServerType | identity (spec A.3, A.4) | required |
 * | ServerLauncherFile, ServerLauncherArgv | what is started, and its words, where the type does not say: custom, not-tars, types of the image's own; for php and python in place of what it says | – |
 * | ServerVariant | which of several TServers of the server this is, as part of the pod's DNS name | – |
 * | LauncherType | `background`: tarsnode is PID 1; `foreground`: the service is | background |
 * | TARSNODE_LOCAL_ADDRESS | address of ServerObj and of the service's AdminObj | 127.0.0.1 |
 * | TARSNODE_ADMIN_PORT | port of the service's AdminObj | 1000 |
 * | TARSNODE_REGISTRY | host, `tcp -h HOST -p PORT`, or `ssl -h HOST -p PORT` for calls of tarsnode by TLS, of the registry's QueryObj, with `-e 1` where the registry wants an account; `none` for a not-tars service that has none | tars-tarsregistry |
 * | TARSNODE_REGISTRY_PORT | port of RegistryObj on the same host | 17891 |
 * | TARSNODE_CA, TARSNODE_TLS_NAME | PEM file of the authorities that it trusts, read at each connection, and the name that certificates must be for | those of the runtime, the host |
 * | TARSNODE_ACCESS_KEY, TARSNODE_SECRET_KEY | account that it shows to servants of the framework whose endpoints say `-e 1` | – |
 * | TARSNODE_NODE_PORT, TARSNODE_SERVER_PORT | ports of NodeObj and ServerObj | 19385, 19386 |
 * | TARSNODE_HTTP_PORT | port of /healthz, /readyz, /status and /metrics, on the local address and the pod's | 19387 |
 * | TARSNODE_LOCATOR_PORT | port on the local address that leads to the registry's QueryObj, of a php service | 19388 |
 * | TARSNODE_GRACE_SECONDS | the pod's terminationGracePeriodSeconds; the whole stop fits into it | 30 |
 * | TARSNODE_DRAIN_MS | time between the report Deactivating and the shutdown; overrides the template's `drain-delay` | 500; when the pod ends and others serve, the template's `refresh-endpoint-interval` and 40 s |
 * | TARSNODE_ON_EXIT | `restart`, or `exit` with the service's outcome when it ends by itself | restart |
 * | TARSNODE_STDOUT_BYTES, TARSNODE_STDOUT_FILES | size at which stdout_stderr is rotated, and how many are kept | 10485760, 5 |
 * | TARSNODE_ROOT | folder below which all paths of the layout lie | / |
 * @throws Failure ENV_INVALID naming the variable, the rule and the remedy
 */
export function parseEnvironment(env: Environment): Settings {
  const read = readEnv(env)
  const [podName, podIP, app, server] = ['PodName', 'PodIP', 'ServerApp', 'ServerName'].map((name) => identity(name, read.required(name))) as [string, string, string, string]
  const variant = read.optional('ServerVariant') === undefined ? '' : identity('ServerVariant', read.required('ServerVariant'))
  const type = serverType(read.required('ServerType'), read.optional('ServerLauncherFile') !== undefined)
  const launcher = read.choice('LauncherType', ['background', 'foreground'], 'background')
  const layout = layoutAt(read.optional('TARSNODE_ROOT', '/'))
  const drain = read.integer('TARSNODE_DRAIN_MS', -1, { min: -1, max: 3_600_000 })
  return Object.freeze({
    podName, podIP, app, server, type, launcher, layout,
    listenAddress: `${podName}.${app}-${server}${variant === '' ? '' : `-${variant}`}`.toLowerCase(),
    paths: serverPaths(layout, app, server),
    localAddress: read.optional('TARSNODE_LOCAL_ADDRESS', '127.0.0.1'),
    adminPort: port(read, 'TARSNODE_ADMIN_PORT', ADMIN_PORT),
    registry: registryAddress(type, read.optional('TARSNODE_REGISTRY', 'tars-tarsregistry'), port(read, 'TARSNODE_REGISTRY_PORT', REGISTRY_PORT), { caFile: read.optional('TARSNODE_CA'), name: read.optional('TARSNODE_TLS_NAME') }),
    account: read.optional('TARSNODE_ACCESS_KEY') === undefined ? undefined : { accessKey: read.required('TARSNODE_ACCESS_KEY'), secretKey: read.required('TARSNODE_SECRET_KEY') },
    nodePort: port(read, 'TARSNODE_NODE_PORT', NODE_PORT),
    serverPort: port(read, 'TARSNODE_SERVER_PORT', SERVER_PORT),
    httpPort: port(read, 'TARSNODE_HTTP_PORT', HTTP_PORT),
    locatorPort: port(read, 'TARSNODE_LOCATOR_PORT', LOCATOR_PORT),
    graceMs: read.integer('TARSNODE_GRACE_SECONDS', 30, { min: 1, max: 86_400 }) * 1000,
    drainMs: drain < 0 ? undefined : drain,
    onExit: read.choice('TARSNODE_ON_EXIT', ['restart', 'exit'], 'restart'),
    stdoutFile: { maxBytes: read.integer('TARSNODE_STDOUT_BYTES', 10 << 20, { min: 4096 }), keep: read.integer('TARSNODE_STDOUT_FILES', 5, { min: 1, max: 100 }) },
    container: Object.freeze(Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))),
  })
}

const port = (read: ReturnType<typeof readEnv>, name: string, fallback: number): number => read.integer(name, fallback, { min: 1, max: 65_535 })

/** Names become parts of paths and of conf text, so they hold nothing that has a meaning there. */
function identity(name: string, value: string): string {
  if (/^[0-9A-Za-z:][-\w.:]*$/.test(value) && value.length <= longestDnsName) return value
  throw new Failure('ENV_INVALID', `environment variable ${name} must consist of letters, digits, "-", "_", "." and ":", not "${value}"`, { remedy: `set ${name}` })
}

/** An image may name a type of its own, as long as it says how that is started. */
function serverType(value: string, isLaunched: boolean): ServerType {
  const found = serverTypes.find((type) => type === value) ?? (isLaunched ? 'custom' : undefined)
  if (found !== undefined) return found
  throw new Failure('ENV_INVALID', `environment variable ServerType must be one of ${serverTypes.join(', ')}, not "${value}"`, { remedy: 'build the image with a supported server type, or have it say by ServerLauncherFile what is to be started' })
}

/** `HOST`, `tcp -h HOST -p PORT`, `ssl …` or `none`. */
function registryAddress(type: ServerType, text: string, registryPort: number, tls: RegistryAddress['tls']): RegistryAddress | undefined {
  const refuse = (rule: string): never => {
    throw new Failure('ENV_INVALID', `environment variable TARSNODE_REGISTRY ${rule}, not "${text}"`, { remedy: 'set TARSNODE_REGISTRY' })
  }
  if (text === 'none') return type === 'not-tars' ? undefined : refuse(`must name a registry for ServerType ${type}`)
  const host = /(?:^|\s)-h\s+(\S+)/.exec(text)?.[1] ?? (/^\S+$/.test(text) ? text : undefined)
  if (host === undefined) return refuse('must be a host, "tcp -h HOST -p PORT" or "ssl -h HOST -p PORT"')
  return { host, queryPort: Number(/(?:^|\s)-p\s+(\d+)/.exec(text)?.[1] ?? QUERY_PORT), registryPort, ...(/^\s*ssl\s/.test(text) ? { tls } : {}), ...(/\s-e\s+1(?:\s|$)/.test(text) ? { auth: true } : {}) }
}
