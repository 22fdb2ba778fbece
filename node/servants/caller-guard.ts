// Who may command this node: the registry says it, which knows the pods by their addresses.
import { systemClock, type Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { ret } from '#tars/packet.ts'
import { TarsCallError, type Current } from '#tars/server.ts'
import type { NodeServant } from './node-obj.ts'

/** Answers of RegistryObj.checkCaller, and none. */
const verdict = { unknown: -1, unchecked: 0, yes: 1, no: 2, otherPod: 3 } as const

/** An answer counts so long, milliseconds, so that who calls without end is not asked about without end. */
const FRESH_MS = 5_000
/** Addresses whose last answers are kept. */
const MOST = 256

interface Known {
  readonly askedAt: number
  readonly verdict: Promise<number>
}

export interface CallerGuardOptions {
  /** RegistryObj.checkCaller for this server. */
  readonly ask: (address: string) => Promise<number>
  readonly log: Logger
  readonly clock?: Pick<Clock, 'monotonic'>
}

/**
 * Lets in whom the registry lets in. While it does not answer, its last word on a caller counts; who has none is let in as
 * long as it never said that callers are checked, which a registry that does not know the question never says.
 */
export class CallerGuard {
  readonly #options: CallerGuardOptions
  readonly #known = new Map<string, Known>()
  #checks = false

  constructor(options: CallerGuardOptions) {
    this.#options = options
  }

  /** @throws TarsCallError for who may not command this node */
  async admit(address: string): Promise<void> {
    const found = await this.#of(address)
    if (found === verdict.unchecked || found === verdict.yes) return
    throw new TarsCallError(ret.unknownError, found === verdict.unknown ? 'the registry does not say who calls: try again' : 'the caller is no pod of the framework or of this server, and commands nothing here', {
      context: { address }, remedy: 'TARS_CALLERS and TARS_CALLERS_TRUSTED of tarsregistry say who is believed',
    })
  }

  /** Whether it is a pod of another server, and nobody else. */
  async isOtherPod(address: string): Promise<boolean> {
    return (await this.#of(address)) === verdict.otherPod
  }

  #of(address: string): Promise<number> {
    const { clock = systemClock } = this.#options
    const known = this.#known.get(address)
    const now = clock.monotonic()
    if (known !== undefined && now - known.askedAt < FRESH_MS) return known.verdict
    const asked = this.#ask(address, known)
    this.#known.delete(address)
    this.#known.set(address, { askedAt: now, verdict: asked })
    for (const [oldest] of this.#known) if (this.#known.size > MOST) this.#known.delete(oldest)
    return asked
  }

  async #ask(address: string, known: Known | undefined): Promise<number> {
    const { ask, log } = this.#options
    try {
      const found = await ask(address)
      this.#checks = found !== verdict.unchecked
      if (found > verdict.yes) log.error('who calls may not command this node', { peer: address, remedy: 'TARS_CALLERS and TARS_CALLERS_TRUSTED of tarsregistry say who is believed' })
      return found
    } catch (error) {
      if (error instanceof TarsCallError && error.ret === ret.noFunction) return verdict.unchecked
      return known?.verdict ?? (this.#checks ? verdict.unknown : verdict.unchecked)
    }
  }
}

type Guarded = { readonly [name in keyof NodeServant]: (...args: [...Parameters<NodeServant[name]>, Current]) => Promise<Awaited<ReturnType<NodeServant[name]>>> }

/** The servant for whom the guard lets in. */
export function behindGuard(guard: CallerGuard, servant: NodeServant): Guarded {
  const methods = Object.entries(servant) as [string, (...args: readonly unknown[]) => unknown][]
  const guarded = methods.map(([name, method]) => [name, async (...args: readonly unknown[]) => {
    await guard.admit((args.at(-1) as Current).peer.address)
    return method(...args)
  }])
  return Object.fromEntries(guarded) as Guarded
}
