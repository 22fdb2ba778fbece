import { request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Container, LifecycleHandler, Probe } from './kinds.ts'

type Kind = 'Startup' | 'Liveness' | 'Readiness'

export interface ProbeEvents {
  changed(state: { readonly ready: boolean; readonly started: boolean }): void
  failed(kind: Kind, message: string): void
  /** A startup or liveness probe failed often enough: the container must be restarted. */
  restart(kind: Exclude<Kind, 'Readiness'>): void
}

/**
 * Runs a container's probes (Kubernetes, "Configure Liveness, Readiness and Startup Probes"): without a readiness probe a
 * running container is ready; liveness and readiness begin when the startup probe has succeeded.
 */
export class Prober {
  readonly #container: Container
  readonly #address: () => string
  readonly #events: ProbeEvents
  #stop = new AbortController()

  constructor(container: Container, address: () => string, events: ProbeEvents) {
    this.#container = container
    this.#address = address
    this.#events = events
  }

  start(): void {
    this.#stop.abort()
    this.#stop = new AbortController()
    const { signal } = this.#stop
    const { startupProbe } = this.#container
    if (startupProbe === undefined) return this.#afterStartup(signal)
    this.#events.changed({ ready: false, started: false })
    this.#loop('Startup', startupProbe, signal, (passed) => {
      if (!passed) return this.#giveUp('Startup', signal)
      this.#afterStartup(signal)
      return false
    })
  }

  stop(): void {
    this.#stop.abort()
  }

  #afterStartup(signal: AbortSignal): void {
    const { livenessProbe, readinessProbe } = this.#container
    this.#events.changed({ ready: readinessProbe === undefined, started: true })
    if (livenessProbe !== undefined) this.#loop('Liveness', livenessProbe, signal, (passed) => passed || this.#giveUp('Liveness', signal))
    if (readinessProbe !== undefined) {
      this.#loop('Readiness', readinessProbe, signal, (passed) => {
        this.#events.changed({ ready: passed, started: true })
        return true
      })
    }
  }

  #giveUp(kind: 'Startup' | 'Liveness', signal: AbortSignal): false {
    if (!signal.aborted) this.#events.restart(kind)
    return false
  }

  /**
   * Calls `verdict` whenever the thresholds are crossed; it says whether to go on. The period is from one asking to the next, so
   * an answer that is waited for takes no time from it, as with the kubelet's ticker.
   */
  #loop(kind: Kind, probe: Probe, signal: AbortSignal, verdict: (passed: boolean) => boolean): void {
    const periodMs = (probe.periodSeconds ?? 10) * 1000
    const counts = { passed: 0, failed: 0 }
    let timer: NodeJS.Timeout | undefined
    const turn = async (): Promise<void> => {
      const next = performance.now() + periodMs
      const problem = await probeOnce(this.#container, probe, this.#address())
      if (signal.aborted) return
      if (problem === undefined) Object.assign(counts, { passed: counts.passed + 1, failed: 0 })
      else {
        Object.assign(counts, { passed: 0, failed: counts.failed + 1 })
        this.#events.failed(kind, problem)
      }
      const goOn = counts.passed === (probe.successThreshold ?? 1) ? verdict(true) : counts.failed === (probe.failureThreshold ?? 3) ? verdict(false) : true
      if (goOn && !signal.aborted) timer = setTimeout(() => void turn(), Math.max(0, next - performance.now()))
    }
    timer = setTimeout(() => void turn(), (probe.initialDelaySeconds ?? 0) * 1000)
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  }
}

/** @returns why it failed, or undefined */
async function probeOnce(container: Container, probe: Probe, address: string): Promise<string | undefined> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000
  try {
    if (probe.httpGet !== undefined) await httpProbe(container, probe.httpGet, address, timeoutMs)
    else if (probe.tcpSocket !== undefined) await tcpProbe(probe.tcpSocket.host ?? address, portOf(container, probe.tcpSocket.port), timeoutMs)
    else return 'exec and grpc probes are not supported here; use httpGet or tcpSocket'
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Runs a lifecycle hook. @returns why it failed, or undefined */
export async function runHook(container: Container, hook: LifecycleHandler, address: string, timeoutMs: number): Promise<string | undefined> {
  try {
    if (hook.httpGet !== undefined) await httpProbe(container, hook.httpGet, address, timeoutMs)
    else if (hook.sleep !== undefined) await delay(Math.min(hook.sleep.seconds * 1000, timeoutMs))
    else return 'exec hooks are not supported here; use httpGet or sleep'
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function portOf(container: Container, port: number | string): number {
  const number = typeof port === 'number' ? port : container.ports?.find(({ name }) => name === port)?.containerPort
  if (number === undefined) throw new Error(`the container has no port named "${port}"`)
  return number
}

function httpProbe(container: Container, get: NonNullable<Probe['httpGet']>, address: string, timeoutMs: number): Promise<void> {
  const send = get.scheme === 'HTTPS' ? secureRequest : request
  return new Promise((resolve, reject) => {
    const call = send({
      host: get.host ?? address, port: portOf(container, get.port), path: get.path ?? '/', timeout: timeoutMs, agent: false, rejectUnauthorized: false,
      headers: Object.fromEntries((get.httpHeaders ?? []).map(({ name, value }) => [name, value])),
    }, (response) => {
      response.resume()
      const { statusCode = 0 } = response
      if (statusCode >= 200 && statusCode < 400) resolve()
      else reject(new Error(`HTTP answered ${statusCode}`))
    })
    call.once('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    call.once('error', reject)
    call.end()
  })
}

function tcpProbe(host: string, port: number, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: timeoutMs })
    socket.once('connect', () => (socket.destroy(), resolve()))
    socket.once('timeout', () => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)))
    socket.once('error', reject)
  })
}
