// Whether a caller is who it says it is: the pod at its address belongs to the server that it speaks for.
import { BlockList, isIP, isIPv6 } from 'node:net'
import { plainAddress } from '#base/address.ts'
import { systemClock } from '#base/clock.ts'
import { readEnv } from '#base/env.ts'
import { Failure } from '#base/errors.ts'
import { Limiter } from '#base/limiter.ts'
import type { Environment, Lifetime } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import { watchCallers, type CallerOptions, type Callers } from './callers.ts'

const callerModes = ['off', 'log', 'enforce'] as const

export interface CallerSettings {
  /** `off`: whatever is said is believed. `log`: what would be refused is counted and logged. `enforce`: it is refused. */
  readonly mode: (typeof callerModes)[number]
  /** Strangers that are believed, because no pod of theirs can be known: proxies, nodes, servers outside. */
  readonly trusts: (address: string) => boolean
}

/**
 * TARS_CALLERS: a mode of {@link CallerSettings}. TARS_CALLERS_TRUSTED: networks as `10.0.0.0/8,fd00::/8` from which callers that are
 * no pods are believed, or `none`; default: all are.
 * @param usual the mode when nothing is said
 * @throws Failure ENV_INVALID
 */
export function callerEnv(env: Environment, usual: CallerSettings['mode']): CallerSettings {
  const read = readEnv(env)
  return { mode: read.choice('TARS_CALLERS', callerModes, usual), trusts: networksOf(read.optional('TARS_CALLERS_TRUSTED')) }
}

/** Strangers are believed, as nobody can know better. */
export const everyone = (): boolean => true

function networksOf(text: string | undefined): CallerSettings['trusts'] {
  if (text === undefined) return everyone
  const list = new BlockList()
  for (const network of text === 'none' ? [] : text.split(',').map((one) => one.trim())) {
    const [, address = '', bits = ''] = /^(.+)\/(\d{1,3})$/.exec(network) ?? []
    const kind = isIP(address)
    if (kind === 0 || Number(bits) > (kind === 6 ? 128 : 32)) throw new Failure('ENV_INVALID', `environment variable TARS_CALLERS_TRUSTED must be networks, not "${network}"`, { remedy: 'set it to e.g. 10.0.0.0/8,127.0.0.0/8, or none' })
    list.addSubnet(address, Number(bits), kind === 6 ? 'ipv6' : 'ipv4')
  }
  return (address) => isIP(address) !== 0 && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/** Nobody is checked. */
export const uncheckedCallers: CallerSettings = { mode: 'off', trusts: everyone }

/** Nobody is known. */
export const noCallers: CallerCheckOptions['callers'] = { ownersAt: () => [], isOwner: () => false, learn: () => Promise.resolve() }

export type CallerCheckStart = CallerOptions & CallerSettings & Pick<CallerCheckOptions, 'above' | 'wholeApp'>

/** A check for a role that has no other use for callers: their pods are watched only when somebody is checked. */
export async function startCallerCheck(options: CallerCheckStart, lifetime: Lifetime): Promise<CallerCheck> {
  if (options.mode === 'off') return new CallerCheck({ ...options, callers: noCallers })
  const callers = lifetime.own(watchCallers(options))
  await callers.known()
  return new CallerCheck({ ...options, callers })
}

export interface CallerCheckOptions extends CallerSettings {
  readonly callers: Pick<Callers, 'ownersAt' | 'isOwner' | 'learn'> & Partial<Pick<Callers, 'isApp'>>
  /** Applications whose pods may speak for all. */
  readonly above?: readonly string[]
  /** A pod may speak for every server of its application. Default: for its own server only. */
  readonly wholeApp?: boolean
  readonly log: Logger
}

/** Why a call is refused: a pod of another server makes it, or nobody knows who. */
export type Refusal = 'foreign' | 'stranger'

/** The same caller and server are logged so often. */
const logLimit = { windowMs: 60_000, count: 1 } as const

/** Believes a caller, or does not, and keeps count. A name that is no server's here is anybody's. */
export class CallerCheck {
  readonly counts: Record<Refusal, number>
  readonly #options: CallerCheckOptions
  readonly #logged = new Limiter(logLimit)

  constructor(options: CallerCheckOptions, counts: Record<Refusal, number> = { foreign: 0, stranger: 0 }) {
    this.#options = options
    this.counts = counts
  }

  /** For what a pod may do with all servers of its application, and pods of applications above with all; what is refused counts here, too. */
  byApp(...above: readonly string[]): CallerCheck {
    return new CallerCheck({ ...this.#options, above, wholeApp: true }, this.counts)
  }

  /** Whether anybody is refused, or would be. */
  get isOn(): boolean {
    return this.#options.mode !== 'off'
  }

  /**
   * Goes on by `take` when the caller may speak for a server, by `refuse` when not. Only a stranger that nobody trusts makes it wait:
   * it may be a pod that the watch has not shown yet.
   * @param server `App.Server`; with `wholeApp` an application will do
   */
  guard<T>(address: string, server: string, take: () => T, refuse: () => Awaited<T>): T | Awaited<T> | Promise<Awaited<T>> {
    if (this.believes(address, server)) return take()
    if (this.#options.callers.ownersAt(address).length > 0) return this.#refused(address, server) ? refuse() : take()
    return this.#learned(address, server, take, refuse)
  }

  async #learned<T>(address: string, server: string, take: () => T, refuse: () => Awaited<T>): Promise<Awaited<T>> {
    const { callers, log } = this.#options
    try {
      await callers.learn(address)
    } catch (error) {
      log.error('who calls is not known here, and the API server does not say', { peer: address, error })
    }
    if (this.#refused(address, server)) return refuse()
    return await take()
  }

  /** The same at once, by what is known. */
  admits(address: string, server: string): boolean {
    return this.believes(address, server) || !this.#refused(address, server)
  }

  /** Whether nothing speaks against it, by what is known; nothing is counted. */
  believes(address: string, server: string): boolean {
    return this.#options.mode === 'off' || this.why(address, server) === undefined
  }

  /** Why it is not believed; undefined when it is. */
  why(address: string, server: string): Refusal | undefined {
    const { callers, trusts, above = [], wholeApp = false } = this.#options
    const owners = callers.ownersAt(address)
    if (owners.length === 0) return trusts(plainAddress(address)) ? undefined : 'stranger'
    const app = appOf(server)
    const may = (owner: string): boolean => owner === server || above.includes(appOf(owner)) || (wholeApp && appOf(owner) === app)
    return owners.some(may) || (!wholeApp && !callers.isOwner(server)) ? undefined : 'foreign'
  }

  /** Whom it counts against what is said of a server: that server, or who says it when there is no such server, so that made-up names take nothing from others. */
  accountOf(address: string, server: string): string {
    const { callers } = this.#options
    return callers.isOwner(server) ? server : (callers.ownersAt(address)[0] ?? server)
  }

  /** Whether an application of this name runs here, as far as that is known: what is said under another one may be anybody's. */
  isApp(name: string): boolean {
    return this.#options.callers.isApp?.(name) ?? true
  }

  /** In Prometheus' text format. */
  metrics(): string {
    return this.#options.mode === 'off' ? '' : metric('tars_callers_refused_total', 'Calls in the name of a server that the caller is no pod of, or that nobody knows who makes; in mode log they were taken.', Object.entries(this.counts).map(([reason, count]) => [count, { reason, mode: this.#options.mode }]))
  }

  #refused(address: string, server: string): boolean {
    const { callers, mode, log } = this.#options
    const why = this.why(address, server)
    if (why === undefined) return false
    this.counts[why]++
    const { taken } = this.#logged.take(`${address} ${server}`, systemClock.monotonic())
    if (taken) log.error(mode === 'enforce' ? 'a call was refused: who makes it may not speak for the server' : 'a call would be refused: who makes it may not speak for the server', { reason: why, peer: address, owners: callers.ownersAt(address), server: server.slice(0, 128), remedy: 'TARS_CALLERS and TARS_CALLERS_TRUSTED say who is believed' })
    return mode === 'enforce'
  }
}

function appOf(server: string): string {
  const dot = server.indexOf('.')
  return dot < 0 ? server : server.slice(0, dot)
}
