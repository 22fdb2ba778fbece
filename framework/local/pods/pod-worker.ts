import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { backoff, sleep } from '#base/retry.ts'
import { isNotFound } from '#kube/errors.ts'
import type { KubeClient } from '#kube/client.ts'
import { ContainerUnit } from './container.ts'
import type { ContainerHost, ContainerKind } from './container.ts'
import type { RestartBackoffOptions } from './backoff.ts'
import type { EventRecorder } from './events.ts'
import { rolesOf } from './in-process.ts'
import { isSidecar, podResource } from './kinds.ts'
import type { Container, ContainerStatus, Pod, PodCondition, PodStatus } from './kinds.ts'
import { logRuns } from './log-reader.ts'
import type { LogWriter } from './log-writer.ts'
import { removeTree } from './remove-tree.ts'
import { namespaceOf, startRun } from './runtime.ts'
import type { Runtime } from './runtime.ts'
import { podStatus, sameStatus } from './status.ts'

export interface PodWorkerOptions {
  readonly pod: Pod
  /** The pod's own loopback address. */
  readonly podIP: string
  readonly hostIP: string
  readonly client: KubeClient
  readonly runtime: Runtime
  readonly events: EventRecorder
  readonly log: Logger
  readonly backoff: RestartBackoffOptions
}

/** Condition by which tarsregistry tells whether a pod's server is active. */
const activeGate = 'tars.io/active'
const defaultGraceSeconds = 30
/** What a sidecar has at least when the others took all of the grace, as with the kubelet. */
const sidecarGraceMs = 2000
/** A server that is gone must not keep a pod from ending. */
const triesAtEnd = 3

/** Runs one pod from its start to the removal of its last trace; keeps its status in the API server. */
export class PodWorker {
  readonly #options: PodWorkerOptions
  readonly #init: readonly ContainerUnit[]
  readonly #containers: readonly ContainerUnit[]
  readonly #writers = new Map<string, LogWriter>()
  readonly #startTime: string
  readonly #finished: Promise<void>
  readonly #begun = Promise.withResolvers<void>()
  #pod: Pod
  #initialized = false
  readonly #closing = new AbortController()
  #ending: Promise<void> | undefined
  #hasStarted = false
  #reporting: Promise<void> | undefined
  #dirty = false
  #reported: PodStatus | undefined

  constructor(options: PodWorkerOptions) {
    this.#options = options
    this.#pod = this.#withAddress(options.pod)
    this.#startTime = options.pod.status?.startTime ?? `${new Date().toISOString().slice(0, 19)}Z`
    const before = new Map([...(options.pod.status?.initContainerStatuses ?? []), ...(options.pod.status?.containerStatuses ?? [])].map((status) => [status.name, status]))
    const unit = (spec: Container, kind: ContainerKind): ContainerUnit => new ContainerUnit(spec, this.#host(spec), { kind, before: before.get(spec.name) })
    this.#init = (options.pod.spec.initContainers ?? []).map((spec) => unit(spec, isSidecar(spec) ? 'sidecar' : 'init'))
    this.#containers = options.pod.spec.containers.map((spec) => unit(spec, 'main'))
    this.#hasStarted = before.size > 0
    this.#finished = this.#run().catch((error: unknown) => options.log.error('pod failed', { error })).finally(() => this.#begun.resolve())
  }

  get pod(): Pod {
    return this.#pod
  }

  /** True when some container runs a role of this process. */
  get isInProcess(): boolean {
    return this.#pod.spec.containers.some((container) => rolesOf(container) !== undefined)
  }

  /** Resolves when the API server has a status of this worker. */
  get begun(): Promise<void> {
    return this.#begun.promise
  }

  /** Resolves when no container will run again by itself. */
  get finished(): Promise<void> {
    return this.#finished
  }

  /** The log writer of a container's current run. */
  writer(container: string): LogWriter | undefined {
    return this.#writers.get(container)
  }

  /** The object changed in the API server. */
  update(pod: Pod): void {
    this.#pod = this.#withAddress(pod)
    this.#changed()
  }

  /**
   * Ends all containers and reports that. Idempotent; a shorter grace than the first does not hasten it.
   * @param graceMs from SIGTERM to SIGKILL; default: the pod's own
   */
  end(graceMs?: number): Promise<void> {
    this.#closing.abort()
    this.#ending ??= this.#end(graceMs ?? this.#graceMs)
    return this.#ending
  }

  /** After {@link end}: takes the pod's files away. */
  async removeTraces(): Promise<void> {
    const { layout } = this.#options.runtime
    await removeTree(layout.podFolder(this.#pod))
    await removeTree(layout.podLogs(this.#pod))
  }

  async #end(graceMs: number): Promise<void> {
    const began = performance.now()
    for (const unit of this.#sidecars) unit.retire()
    const others = [...this.#init.filter(({ kind }) => kind === 'init'), ...this.#containers]
    await Promise.all(others.map((unit) => this.#stopUnit(unit, graceMs)))
    await this.#stopSidecars(() => (graceMs === 0 ? 0 : Math.max(sidecarGraceMs, graceMs - (performance.now() - began))))
    await this.#finished
    this.#changed()
    await this.#settled()
  }

  async #run(): Promise<void> {
    await mkdir(this.#options.runtime.layout.podFolder(this.#pod), { recursive: true, mode: 0o711 })
    if (this.#hasStarted) await this.#closeGates()
    this.#changed()
    this.#begun.resolve(this.#settled())
    const sidecars: Promise<unknown>[] = []
    if (await this.#runInit(sidecars)) {
      this.#initialized = true
      this.#changed()
      await Promise.all(this.#containers.map((unit) => unit.run()))
    }
    // Who ends the pod ends them, too.
    if (this.#ending === undefined) await this.#stopSidecars(() => this.#graceMs)
    await Promise.all(sidecars)
  }

  /** One after the other; of a sidecar the start. @returns whether the others may begin */
  async #runInit(sidecars: Promise<unknown>[]): Promise<boolean> {
    for (const unit of this.#init) {
      if (unit.kind === 'sidecar') {
        sidecars.push(unit.run())
        await unit.started
      } else if ((await unit.run())?.exitCode !== 0) return false
      if (unit.stopped) return false
    }
    return this.#ending === undefined
  }

  get #sidecars(): readonly ContainerUnit[] {
    return this.#init.filter(({ kind }) => kind === 'sidecar')
  }

  /** The last that began first, each when the one before is gone. */
  async #stopSidecars(graceMs: () => number): Promise<void> {
    for (const unit of this.#sidecars.toReversed()) await this.#stopUnit(unit, graceMs())
  }

  async #stopUnit(unit: ContainerUnit, graceMs: number): Promise<void> {
    if (unit.pid !== undefined) this.#event('Normal', 'Killing', `Stopping container ${unit.spec.name}`)
    await unit.stop(graceMs)
  }

  get #graceMs(): number {
    const { spec, metadata } = this.#pod
    return ((metadata as { deletionGracePeriodSeconds?: number }).deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? defaultGraceSeconds) * 1000
  }

  #host(container: Container): ContainerHost {
    const { runtime, backoff } = this.#options
    const firstRun = (logRuns(dirname(runtime.layout.logFile(this.#options.pod, container.name, 0))).at(-1) ?? -1) + 1
    return {
      pod: () => this.#pod,
      backoff,
      now: Date.now,
      changed: () => this.#changed(),
      // What the node says is about the service, which is the first.
      restarted: () => void (container.name === this.#pod.spec.containers[0]?.name && this.#closeGates()),
      event: (type, reason, message) => this.#event(type, reason, message),
      start: (spec, run) =>
        startRun(runtime, {
          pod: this.#pod, container: spec, run: firstRun + run,
          event: (type, reason, message) => this.#event(type, reason, message),
          logging: (writer) => this.#writers.set(container.name, writer),
        }),
    }
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#options.events.record(this.#pod, type, reason, message)
  }

  #withAddress(pod: Pod): Pod {
    const { podIP, hostIP } = this.#options
    return { ...pod, status: { ...pod.status, podIP, podIPs: [{ ip: podIP }], hostIP } }
  }

  /** What was said about the process before is not true of the one that starts now. */
  async #closeGates(): Promise<void> {
    const open = this.#pod.spec.readinessGates?.some(({ conditionType }) => conditionType === activeGate) === true && this.#condition(activeGate)?.status === 'True'
    if (!open || this.isInProcess) return
    await this.#patchConditions([{ type: activeGate, status: 'False', reason: 'Active/Inactive/0', message: 'the container was started again' }])
  }

  #condition(type: string): PodCondition | undefined {
    return this.#pod.status?.conditions?.find((condition) => condition.type === type)
  }

  async #patchConditions(conditions: readonly PodCondition[]): Promise<void> {
    const { client, log } = this.#options
    const stamped = conditions.map((condition) => ({ ...condition, lastTransitionTime: new Date().toISOString() }))
    await client.patch(podResource, this.#target(), { status: { conditions: stamped } }, { type: 'strategic', subresource: 'status' }).catch((error: unknown) => {
      if (!isNotFound(error)) log.error('readiness gate not reset', { error })
    })
  }

  #target(): { namespace: string; name: string } {
    return { namespace: namespaceOf(this.#pod), name: this.#pod.metadata.name }
  }

  /** Reports once the current report is through; several changes become one. */
  #changed(): void {
    this.#dirty = true
    this.#reporting ??= this.#report().finally(() => (this.#reporting = undefined))
  }

  async #settled(): Promise<void> {
    while (this.#reporting !== undefined) await this.#reporting
  }

  async #report(): Promise<void> {
    for (let failures = 0; this.#dirty && failures < (this.#ending === undefined ? Number.POSITIVE_INFINITY : triesAtEnd); ) {
      this.#dirty = false
      await Promise.resolve() // let changes of the same moment come together
      const status = this.#status()
      if (sameStatus(this.#reported, status) && sameStatus(this.#pod.status, status)) continue
      try {
        const body = { metadata: { uid: this.#pod.metadata.uid }, status: withRemovals(status) }
        const pod = await this.#options.client.patch(podResource, this.#target(), body, { type: 'strategic', subresource: 'status' })
        this.#reported = status
        if (Number(pod.metadata.resourceVersion) > Number(this.#pod.metadata.resourceVersion)) this.#pod = this.#withAddress(pod)
      } catch (error) {
        if (isNotFound(error)) return
        failures++
        this.#dirty = true
        this.#options.log.error('pod status not written', { error: describe(error), failures })
        await sleep(backoff(failures, { baseMs: 100, capMs: 5000 }), this.#closing.signal).catch(() => {})
      }
    }
  }

  #status(): PodStatus {
    const { podIP, hostIP } = this.#options
    const statuses = (units: readonly ContainerUnit[]): ContainerStatus[] => units.map(({ status }) => status)
    const status = podStatus(this.#pod, { init: statuses(this.#init), containers: statuses(this.#containers), initialized: this.#initialized, podIP, hostIP, startTime: this.#startTime }, new Date().toISOString())
    return this.#withRoleGates(status)
  }

  /** The readiness gate of roles in this process: there is no tarsnode to open it, so their running does. */
  #withRoleGates(status: PodStatus): PodStatus {
    const gates = (this.#pod.spec.readinessGates ?? []).filter(({ conditionType }) => conditionType === activeGate)
    if (gates.length === 0 || !this.isInProcess) return status
    const runs = this.#containers.every((unit) => unit.status.ready)
    const wanted: PodCondition = { type: activeGate, status: runs ? 'True' : 'False', reason: runs ? `Active/Active/${process.pid}` : 'Active/Inactive/0' }
    const current = this.#condition(activeGate)
    if (current?.status === wanted.status && current.reason === wanted.reason) return status
    const pod = { ...this.#pod, status: { ...this.#pod.status, conditions: [...(this.#pod.status?.conditions ?? []).filter(({ type }) => type !== activeGate), wanted] } }
    const { conditions = [] } = podStatus(pod, { init: this.#init.map((unit) => unit.status), containers: this.#containers.map((unit) => unit.status), initialized: this.#initialized, hostIP: this.#options.hostIP, startTime: this.#startTime }, new Date().toISOString())
    return { ...status, conditions: [...conditions, { ...wanted, lastTransitionTime: new Date().toISOString() }] }
  }
}

/** A strategic merge patch keeps what it does not name, so a reason that is no more must be taken away by name. */
function withRemovals(status: PodStatus): object {
  return { ...status, conditions: status.conditions?.map((condition) => ({ reason: null, message: null, ...condition })) }
}
