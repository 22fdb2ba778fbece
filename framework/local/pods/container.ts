import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Failure, describe } from '#base/errors.ts'
import { RestartBackoff } from './backoff.ts'
import type { RestartBackoffOptions } from './backoff.ts'
import type { Instance, Exit, Started } from './instance.ts'
import type { Container, ContainerState, ContainerStatus, Pod, TerminatedState } from './kinds.ts'
import { Prober, runHook } from './probes.ts'

/** What a container needs from its pod. */
export interface ContainerHost {
  pod(): Pod
  /** Pulls, prepares and starts one run. @param run counts from 0 and names the log file */
  start(container: Container, run: number): Promise<Started>
  /** The status changed. */
  changed(): void
  /** A run begins that is not the first: what others said about the last is void. */
  restarted(): void
  event(type: 'Normal' | 'Warning', reason: string, message: string): void
  readonly backoff: RestartBackoffOptions
  readonly now: () => number
}

const configReasons: Readonly<Record<string, string>> = { CONTAINER_CONFIG: 'CreateContainerConfigError', IMAGE_REFERENCE_INVALID: 'InvalidImageName' }
const killWaitMs = 5000
/** What a hook leaves of the grace at least. */
const hookLeavesMs = 2000

/** What becomes of it: `init` runs to its end, `sidecar` and `main` go on, the first of them whatever the pod's restartPolicy is. */
export type ContainerKind = 'init' | 'sidecar' | 'main'

/** Keeps one container going: pull, start, wait, restart with back-off; knows its status at any time. */
export class ContainerUnit {
  readonly spec: Container
  readonly #host: ContainerHost
  readonly #backoff: RestartBackoff
  readonly #stopping = new AbortController()
  readonly #hasStarted = Promise.withResolvers<void>()
  readonly kind: ContainerKind
  readonly #prober: Prober
  #started: Started | undefined
  #status: ContainerStatus
  /** Restarts so far. */
  #runs = 0

  /** @param before the status that an earlier run of this process left */
  constructor(spec: Container, host: ContainerHost, options: { readonly kind: ContainerKind; readonly before: ContainerStatus | undefined }) {
    this.spec = spec
    this.#host = host
    this.kind = options.kind
    this.#stopping.signal.addEventListener('abort', () => this.#hasStarted.resolve())
    this.#backoff = new RestartBackoff(host.backoff)
    this.#status = initialStatus(spec, options.before, host)
    this.#prober = new Prober(spec, () => host.pod().status?.podIP ?? '127.0.0.1', {
      changed: (probes) => this.#set({ ready: probes.ready && this.#status.state.running !== undefined, started: probes.started }),
      failed: (kind, message) => host.event('Warning', 'Unhealthy', `${kind} probe failed: ${message}`),
      restart: (kind) => this.#restart(kind),
    })
  }

  get status(): ContainerStatus {
    return this.#status
  }

  /** PID of the running instance. */
  get pid(): number | undefined {
    return this.#started?.instance.pid
  }

  /** Runs until it may not be restarted any more or is stopped. @returns the last outcome, undefined when it never ran */
  async run(): Promise<Exit | undefined> {
    const { signal } = this.#stopping
    let last: Exit | undefined
    while (!signal.aborted) {
      const started = await this.#prepare(signal)
      if (started === undefined) break
      const beganAt = this.#host.now()
      last = await this.#follow(started, beganAt)
      if (signal.aborted || !this.#mayRestart(last)) break
      await this.#waitForRestart(this.#host.now() - beganAt, signal)
      this.#runs++
    }
    return last
  }

  /** Resolves when it runs and has passed its startup probe, or will not any more. */
  get started(): Promise<void> {
    return this.#hasStarted.promise
  }

  /** It runs on, but not again. */
  retire(): void {
    this.#stopping.abort()
    this.#prober.stop()
  }

  /** Ends it: the stop signal, then SIGKILL after `graceMs`. Resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.retire()
    const started = this.#started
    if (started === undefined) return
    await this.#end(started, graceMs)
  }

  /** One that is past starting again until it is told. */
  get stopped(): boolean {
    return this.#stopping.signal.aborted
  }

  async #prepare(signal: AbortSignal): Promise<Started | undefined> {
    const retries = new RestartBackoff(this.#host.backoff)
    for (;;) {
      try {
        const started = await this.#host.start(this.spec, this.#runs)
        if (!signal.aborted) return started
        // It was told to end while it began.
        await endInstance(started.instance, started.stopSignal, 0)
        return undefined
      } catch (error) {
        if (signal.aborted) return undefined
        await this.#refused(error, retries.next(0), signal)
        if (signal.aborted) return undefined
      }
    }
  }

  async #refused(error: unknown, waitMs: number, signal: AbortSignal): Promise<void> {
    const code = error instanceof Failure ? error.code : ''
    const message = describe(error)
    const isImage = /^(IMAGE|REGISTRY|OCI|TLS)_/.test(code)
    const reason = configReasons[code] ?? (isImage ? 'ErrImagePull' : 'CreateContainerError')
    this.#wait(reason, message)
    this.#host.event('Warning', 'Failed', message)
    if (waitMs === 0) return
    if (reason === 'ErrImagePull') {
      // of a volume, or the container's own
      const image = String((error instanceof Failure ? error.context['image'] : undefined) ?? this.spec.image ?? '')
      this.#wait('ImagePullBackOff', `Back-off pulling image "${image}": ${message}`)
      this.#host.event('Normal', 'BackOff', `Back-off pulling image "${image}"`)
    }
    await delay(waitMs, undefined, { signal }).catch(() => {})
  }

  async #follow(started: Started, beganAt: number): Promise<Exit> {
    this.#started = started
    const containerID = `tarsk8s://${randomBytes(16).toString('hex')}`
    const startedAt = time(beganAt)
    try {
      await started.instance.started
      if (this.#runs > 0) this.#host.restarted()
      this.#set({
        image: started.image, imageID: started.imageID, containerID, restartCount: this.#runs,
        state: { running: { startedAt } }, lastState: terminatedOnly(this.#status), ready: false, started: false,
      })
      this.#host.event('Normal', 'Started', `Started container ${this.spec.name}`)
      if (this.kind === 'init') this.#set({ started: true })
      else this.#prober.start()
    } catch {
      // it ended before it began: the outcome says why
    }
    const exit = await started.instance.exited
    this.#prober.stop()
    this.#started = undefined
    const terminated = terminatedState(exit, { startedAt, finishedAt: time(this.#host.now()), containerID })
    this.#set({ restartCount: this.#runs, image: started.image, imageID: started.imageID, containerID, state: { terminated }, lastState: terminatedOnly(this.#status), ready: this.kind === 'init' && exit.exitCode === 0, started: false })
    return exit
  }

  #mayRestart(exit: Exit): boolean {
    const policy = this.#host.pod().spec.restartPolicy ?? 'Always'
    if (this.kind === 'init') return exit.exitCode !== 0 && policy !== 'Never'
    return this.kind === 'sidecar' || policy === 'Always' || (policy === 'OnFailure' && exit.exitCode !== 0)
  }

  async #waitForRestart(ranMs: number, signal: AbortSignal): Promise<void> {
    const waitMs = this.#backoff.next(ranMs)
    if (waitMs === 0) return
    const { metadata } = this.#host.pod()
    const message = `back-off ${formatSeconds(waitMs)} restarting failed container=${this.spec.name} pod=${metadata.name}_${metadata.namespace ?? 'default'}(${metadata.uid ?? ''})`
    this.#wait('CrashLoopBackOff', message)
    this.#host.event('Warning', 'BackOff', `Back-off restarting failed container ${this.spec.name}`)
    await delay(waitMs, undefined, { signal }).catch(() => {})
  }

  #wait(reason: string, message: string): void {
    this.#set({ state: { waiting: { reason, message } }, lastState: terminatedOnly(this.#status), ready: false, started: false })
  }

  #restart(kind: 'Startup' | 'Liveness'): void {
    const started = this.#started
    if (started === undefined) return
    this.#host.event('Normal', 'Killing', `Container ${this.spec.name} failed its ${kind} probe, will be restarted`)
    const probe = kind === 'Startup' ? this.spec.startupProbe : this.spec.livenessProbe
    const grace = probe?.terminationGracePeriodSeconds ?? this.#host.pod().spec.terminationGracePeriodSeconds ?? 30
    this.#end(started, grace * 1000).catch(() => {})
  }

  /** The preStop hook, the stop signal, SIGKILL; the hook's time is part of the grace, and leaves two seconds of it (Kubernetes, "Container Lifecycle Hooks"). */
  async #end({ instance, stopSignal }: Started, graceMs: number): Promise<void> {
    const preStop = this.spec.lifecycle?.preStop
    const began = performance.now()
    if (preStop !== undefined && graceMs > 0) {
      const address = this.#host.pod().status?.podIP ?? '127.0.0.1'
      const problem = await Promise.race([runHook(this.spec, preStop, address, graceMs), instance.exited.then(() => undefined)])
      if (problem !== undefined) this.#host.event('Warning', 'FailedPreStopHook', `PreStopHook failed: ${problem}`)
    }
    await endInstance(instance, stopSignal, preStop === undefined ? graceMs : Math.min(graceMs, Math.max(hookLeavesMs, graceMs - (performance.now() - began))))
  }

  #set(change: Partial<ContainerStatus>): void {
    this.#status = { ...this.#status, ...change }
    if (this.#status.started) this.#hasStarted.resolve()
    this.#host.changed()
  }
}

async function endInstance(instance: Instance, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  const gone = new AbortController()
  const exited = instance.exited.finally(() => gone.abort())
  if (graceMs > 0) {
    instance.signal(signal)
    await Promise.race([exited, delay(graceMs, undefined, { signal: gone.signal }).catch(() => {})])
  }
  if (gone.signal.aborted) return
  instance.signal('SIGKILL')
  await Promise.race([exited, delay(killWaitMs, undefined, { signal: gone.signal, ref: false }).catch(() => {})])
}

function initialStatus(spec: Container, before: ContainerStatus | undefined, { pod, now }: ContainerHost): ContainerStatus {
  const waiting: ContainerState = { waiting: { reason: (pod().spec.initContainers ?? []).length > 0 ? 'PodInitializing' : 'ContainerCreating' } }
  const fresh: ContainerStatus = { name: spec.name, image: spec.image ?? '', imageID: '', ready: false, started: false, restartCount: 0, state: waiting, lastState: {} }
  if (before?.containerID === undefined) return fresh
  // the runner was away: whatever ran under it is gone
  const { running, terminated } = before.state
  const lost: TerminatedState | undefined = running === undefined ? undefined : { exitCode: 137, reason: 'ContainerStatusUnknown', message: 'the pod runner ended while the container ran', startedAt: running.startedAt, finishedAt: time(now()), containerID: before.containerID }
  const last = terminated ?? lost ?? before.lastState.terminated
  // the count begins anew: that the cluster was stopped says nothing about the container
  return { ...fresh, imageID: before.imageID, lastState: last === undefined ? {} : { terminated: last } }
}

/** The last run's outcome, as lastState has it. */
function terminatedOnly({ state, lastState }: ContainerStatus): ContainerState {
  return state.terminated === undefined ? lastState : { terminated: state.terminated }
}

function terminatedState(exit: Exit, rest: Pick<TerminatedState, 'startedAt' | 'containerID'> & { readonly finishedAt: string }): TerminatedState {
  const reason = exit.startError === undefined ? (exit.exitCode === 0 ? 'Completed' : 'Error') : 'StartError'
  const message = exit.startError ?? exit.message
  return { exitCode: exit.exitCode, ...(exit.signal === undefined ? {} : { signal: exit.signal }), reason, ...(message === undefined ? {} : { message }), ...rest }
}

function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

function formatSeconds(ms: number): string {
  const seconds = ms / 1000
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${Math.round(seconds % 60)}s`
}
