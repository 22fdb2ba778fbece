import { rmSync } from 'node:fs'
import { chmod, mkdir, open, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Failure } from '#base/errors.ts'
import type { Role } from '#base/lifecycle.ts'
import { createLogger } from '#base/log.ts'
import type { Credentials } from '../../../imagebuilder/oci/auth.ts'
import { containerUser } from './image-user.ts'
import { containerEnvironment } from './environment.ts'
import type { PodObjects } from './environment.ts'
import { commandLine, planContainer } from './container-plan.ts'
import { secretCredentials } from './image/registry-source.ts'
import type { LocalImage } from './image/pull.ts'
import { rolesOf, startRoles } from './in-process.ts'
import { pullPolicy } from './images.ts'
import type { Images } from './images.ts'
import type { Instance, Started } from './instance.ts'
import type { Container, Pod, Volume } from './kinds.ts'
import { logRuns, rotated } from './log-reader.ts'
import type { LogLimits } from './log-writer.ts'
import { LogWriter } from './log-writer.ts'
import type { Platform } from './namespace/platform.ts'
import { startContainer, startTime } from './namespace/process.ts'
import type { Layout } from './layout.ts'
import { mergedLayers, prepareRoot } from './root-file-system.ts'
import { prepareVolumes, volumeMounts } from './volumes.ts'

/** What runs are made with; one for all pods of the runner. */
export interface Runtime {
  readonly platform: Platform
  readonly layout: Layout
  readonly images: Images
  readonly credentials: Credentials
  readonly inProcess: Readonly<Record<string, Role>>
  /** Path of a kubeconfig for roles inside this process. */
  readonly kubeconfig: string | undefined
  readonly logLimits: LogLimits
  readonly resolvConf: string
  objects(namespace: string): PodObjects
  claimFolder(namespace: string, claim: string): Promise<string | undefined>
}

/** What one run is told. */
export interface RunContext {
  readonly pod: Pod
  readonly container: Container
  /** Number of the log file: higher than that of all runs before, those of earlier runners included. */
  readonly run: number
  event(type: 'Normal' | 'Warning', reason: string, message: string): void
  /** The run's log, for followers. */
  logging(writer: LogWriter): void
}

/** Port of the business AdminObj where ports below 1024 are not to be had. */
const highAdminPort = '11000'
const privilegedPort = 1000

/**
 * Starts one run of a container.
 * @throws CONTAINER_CONFIG, IMAGE_*, REGISTRY_*: the run cannot begin; nothing is left of it
 */
export async function startRun(runtime: Runtime, context: RunContext): Promise<Started> {
  const roles = rolesOf(context.container)
  return roles === undefined ? startProcess(runtime, context) : startRolesRun(runtime, context, roles)
}

async function startRolesRun(runtime: Runtime, context: RunContext, roles: readonly string[]): Promise<Started> {
  const { pod, container } = context
  const declared = await containerEnvironment(pod, container, [], runtime.objects(namespaceOf(pod)))
  const own = { ...podIdentity(pod), ...(runtime.kubeconfig === undefined ? {} : { KUBECONFIG: runtime.kubeconfig }) }
  const writer = openLog(runtime, context)
  const log = createLogger({ write: (line) => writer.line('stderr', line.trimEnd()) })
  const instance = startRoles(roles, runtime.inProcess, { env: { ...own, ...declared }, log })
  instance.exited.then(() => writer.end(), () => writer.end())
  return { instance, image: container.image ?? '', imageID: `tarsk8s://${roles.join(',')}`, stopSignal: 'SIGTERM' }
}

async function startProcess(runtime: Runtime, context: RunContext): Promise<Started> {
  const { pod, container } = context
  const image = await obtainImage(runtime, context, container.image ?? '', container.imagePullPolicy)
  const folder = runtime.layout.containerFolder(pod, container.name)
  const planFile = join(folder, 'launch.json')
  const lastWords = join(folder, 'termination-log')
  await mkdir(folder, { recursive: true, mode: 0o755 })
  // Whatever user it runs as.
  await writeFile(lastWords, '')
  await chmod(lastWords, 0o666)
  await writeFile(planFile, JSON.stringify(await makePlan(runtime, context, image, { folder, lastWords })), { mode: 0o600 })
  const writer = openLog(runtime, context)
  const child = startContainer(runtime.platform, planFile)
  writer.take('stdout', child.stdout)
  writer.take('stderr', child.stderr)
  await recordProcess(folder, child.outerPid)
  child.started.then(() => recordProcess(folder, child.outerPid, child.pid), () => {}).catch(() => {})
  // the plan carries the environment, secrets included
  child.started.then(() => rm(planFile, { force: true }), () => rm(planFile, { force: true })).catch(() => {})
  const instance: Instance = {
    get pid() {
      return child.pid
    },
    started: child.started,
    exited: child.exited.then(async (exit) => ({ ...exit, ...(await messageIn(lastWords)) })),
    signal: (name) => child.signal(name),
  }
  return { instance, image: image.reference, imageID: image.id, stopSignal: stopSignal(image.config.StopSignal) }
}

/** Kubernetes keeps so much of a termination message. Bytes. */
const longestWords = 4096

/** What the container wrote for whoever asks why it ended; nothing when that is nothing. */
async function messageIn(path: string): Promise<{ readonly message?: string }> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return {}
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(longestWords), 0, longestWords, 0)
    return bytesRead === 0 ? {} : { message: buffer.toString('utf8', 0, bytesRead) }
  } finally {
    await file.close()
  }
}

async function obtainImage(runtime: Runtime, { pod, event }: RunContext, image: string, policy: string | undefined): Promise<LocalImage> {
  const objects = runtime.objects(namespaceOf(pod))
  const names = (pod.spec.imagePullSecrets ?? []).map(({ name = '' }) => name).filter((name) => name !== '')
  const secrets = await Promise.all(names.map((name) => objects.secret(name)))
  const credentials = secretCredentials(secrets.filter((secret) => secret !== undefined), runtime.credentials)
  return runtime.images.obtain(image, pullPolicy(image, policy), credentials, () => event('Normal', 'Pulling', `Pulling image "${image}"`))
}

/** @throws what the pull did, with the volume and its image named */
async function imageVolume(runtime: Runtime, context: RunContext, volume: string, { reference = '', pullPolicy: policy }: NonNullable<Volume['image']>): Promise<string> {
  try {
    const { layers } = await obtainImage(runtime, context, reference, policy)
    return await mergedLayers(layers, join(runtime.layout.podFolder(context.pod), 'images'))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    throw new Failure(error.code, `volume ${volume} needs image ${reference}`, { cause: error, temporary: error.temporary, context: { ...error.context, image: reference } })
  }
}

async function makePlan(runtime: Runtime, context: RunContext, image: LocalImage, { folder, lastWords }: { readonly folder: string; readonly lastWords: string }) {
  const { pod, container } = context
  const objects = runtime.objects(namespaceOf(pod))
  const { platform, layout } = runtime
  const given = await containerEnvironment(pod, container, image.config.Env ?? [], objects)
  const env = { ...tarsEnvironment(pod, platform), ...given }
  commandLine(container, image.config, env) // refuse before anything is made
  const folders = await prepareVolumes(pod, {
    podDir: layout.podFolder(pod), objects,
    claimFolder: (claim) => runtime.claimFolder(namespaceOf(pod), claim),
    imageFolder: (volume, source) => imageVolume(runtime, context, volume, source),
  })
  const volumes = await volumeMounts(container, folders, env)
  const user = await containerUser(image.config.User ?? '', image.layers, container.securityContext, pod.spec.securityContext)
  const hostname = join(layout.podFolder(pod), 'hostname')
  await writeFile(hostname, `${pod.spec.hostname ?? pod.metadata.name}\n`)
  const root = await prepareRoot(platform, folder, image.layers)
  const etc = { hosts: layout.hostsFile, hostname, resolvConf: runtime.resolvConf }
  return planContainer({ pod, container, image: image.config, env, user, root, userNamespace: platform.userNamespace, volumes, lastWords, etc })
}

/** What tarsnode needs because pods share the network: an address of its own, and ports that it may use. */
function tarsEnvironment(pod: Pod, platform: Platform): Record<string, string> {
  if (pod.metadata.labels?.['tars.io/ServerApp'] === undefined) return {}
  return { TARSNODE_LOCAL_ADDRESS: pod.status?.podIP ?? '', ...(platform.firstPort > privilegedPort ? { TARSNODE_ADMIN_PORT: highAdminPort } : {}) }
}

function podIdentity(pod: Pod): Record<string, string> {
  return { Namespace: namespaceOf(pod), PodName: pod.metadata.name, PodIP: pod.status?.podIP ?? '' }
}

function openLog(runtime: Runtime, { pod, container, run, logging }: RunContext): LogWriter {
  const { layout, logLimits } = runtime
  // the run before can still be asked for, those before it cannot
  const old = logRuns(dirname(layout.logFile(pod, container.name, run))).filter((earlier) => earlier < run - 1)
  for (const file of old.flatMap((earlier) => rotated(layout.logFile(pod, container.name, earlier)))) rmSync(file, { force: true })
  const writer = new LogWriter(layout.logFile(pod, container.name, run), logLimits)
  logging(writer)
  return writer
}

/** For the next runner, should this one be killed: processes with their start times. */
async function recordProcess(folder: string, ...pids: readonly (number | undefined)[]): Promise<void> {
  const processes = pids.filter((pid) => pid !== undefined).map((pid) => ({ pid, startTime: startTime(pid) }))
  await writeFile(join(folder, 'processes.json'), JSON.stringify(processes))
}

function stopSignal(text: string | undefined): NodeJS.Signals {
  const name = text === undefined || text === '' ? 'SIGTERM' : text.toUpperCase().replace(/^(?:SIG)?/, 'SIG')
  return name as NodeJS.Signals
}

export function namespaceOf(pod: Pod): string {
  return pod.metadata.namespace ?? 'default'
}
