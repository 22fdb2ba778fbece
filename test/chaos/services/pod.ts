import { setTimeout as sleep } from 'node:timers/promises'
import { activeCondition, labels } from '#api/names.ts'
import type { KubeClient } from '#kube/client.ts'
import { isAlreadyExists, isNotFound } from '#kube/errors.ts'
import { pods } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { Communicator } from '#tars/client.ts'
import { Registry, type RegistryProxy } from '#tars/protocol/Registry.ts'
import { ownAddress } from '../../rig/own-address.ts'
import { History } from './history.ts'
import type { Role } from './role.ts'

/** Milliseconds after which its node tells the whole state again, as tarsnode does in two minutes. */
const RESEND_MS = 10_000
/** Milliseconds between two looks of its node at what is wanted. */
const LOOK_MS = 100
const CALL_MS = 2_000

/** What a registry was told, and took. */
interface Told {
  readonly registry: Role
  /** Of the registry. */
  readonly starts: number
  readonly at: number
}

/** A pod of a server in the API server, and its node, which tells the registry what is so until it is heard. */
export class Pod {
  readonly name: string
  readonly app: string
  readonly server: string
  readonly address = ownAddress()
  /** When callers might be sent to it. */
  readonly active = new History()
  readonly #client: KubeClient
  readonly #namespace: string
  readonly #registries: readonly Role[]
  readonly #communicator: Communicator
  /** How many want it inactive, and gone. */
  #inactive = 0
  #gone = 0
  #exists = false
  /** What the API server had last. */
  #confirmed = ''
  #sentAt = Number.NEGATIVE_INFINITY
  #saidAt = 0
  #talksTo = 0
  /** The registry that took its word that it is not active, and has heard nothing else since. */
  #left: Told | undefined

  constructor({ app, server, number, client, namespace, registries }: { readonly app: string; readonly server: string; readonly number: number; readonly client: KubeClient; readonly namespace: string; readonly registries: readonly Role[] }) {
    this.app = app
    this.server = server
    this.name = `${app}-${server}-${number}`.toLowerCase()
    this.#client = client
    this.#namespace = namespace
    this.#registries = registries
    this.#talksTo = number % registries.length
    this.#communicator = new Communicator({ timeoutMs: CALL_MS, localAddress: this.address })
  }

  get wanted(): 'Active' | 'Inactive' | 'gone' {
    return this.#gone > 0 ? 'gone' : this.#inactive > 0 ? 'Inactive' : 'Active'
  }

  /** @returns ends it */
  deactivate(): () => void {
    this.#inactive++
    return () => void this.#inactive--
  }

  remove(): () => void {
    this.#gone++
    return () => void this.#gone--
  }

  /** Whether this registry, as it runs now, was told that it is not active, before `moment`. */
  leftAt(registry: Role, moment: number): boolean {
    const left = this.#left
    return left !== undefined && left.registry === registry && left.starts === registry.starts && left.at < moment
  }

  /** What the API server has of it; undefined when it is not there. */
  async condition(): Promise<string | undefined> {
    try {
      const { status } = (await this.#client.get(pods, { namespace: this.#namespace, name: this.name })) as { status?: { conditions?: { type: string; reason?: string }[] } }
      return status?.conditions?.find(({ type }) => type === activeCondition)?.reason ?? ''
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** Brings what is wanted about, until it is told to stop. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // The API server or a registry is away; it is tried again.
      await this.#approach().catch(() => {})
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {})
    }
    await this.#communicator.close()
  }

  async #approach(): Promise<void> {
    const wanted = this.wanted
    if (wanted === 'gone') return this.#exists ? this.#delete() : undefined
    if (!this.#exists) await this.#create()
    if (this.#confirmed === wanted && performance.now() - this.#sentAt < RESEND_MS) return
    await this.#tell(wanted)
    const deadline = performance.now() + CALL_MS
    while (performance.now() < deadline) {
      if ((await this.condition()) === reasonOf(wanted)) {
        this.#confirmed = wanted
        if (wanted === 'Inactive') this.active.end()
        return
      }
      await sleep(LOOK_MS)
    }
  }

  async #tell(wanted: 'Active' | 'Inactive'): Promise<void> {
    const registry = this.#registries[this.#talksTo] as Role
    const { starts } = registry
    if (wanted === 'Active') {
      this.active.begin()
      this.#left = undefined
    }
    try {
      await this.#communicator.proxy<RegistryProxy>(Registry, registry.object('RegistryObj', 'registry')).updateServerState(this.name, 'Active', wanted, { context: { PID: '7', Time: String(this.#time()) }, onResponse: ({ context }) => (this.#saidAt = Math.max(this.#saidAt, Number(context.get('Time') ?? 0))) })
    } catch (error) {
      // A new connection to the Service finds another one.
      this.#talksTo = (this.#talksTo + 1) % this.#registries.length
      throw error
    }
    this.#sentAt = performance.now()
    if (wanted === 'Inactive') this.#left ??= { registry, starts, at: this.#sentAt }
  }

  /** Seconds since the epoch; each word has a later one, as tarsnode has it. */
  #time(): number {
    return (this.#saidAt = Math.max(this.#saidAt + 1, Math.floor(Date.now() / 1_000)))
  }

  async #create(): Promise<void> {
    const metadata = { name: this.name, namespace: this.#namespace, labels: { [labels.app]: this.app, [labels.server]: this.server } }
    const spec = { containers: [{ name: 'main', image: 'x' }], readinessGates: [{ conditionType: activeCondition }] }
    await this.#client.create(pods, { apiVersion: 'v1', kind: 'Pod', metadata, spec } as AnyObject).catch((error: unknown) => (isAlreadyExists(error) ? undefined : Promise.reject(error)))
    const status = { phase: 'Running', podIP: this.address, podIPs: [{ ip: this.address }], conditions: [{ type: 'ContainersReady', status: 'True' }] }
    await this.#client.patch(pods, metadata, { status }, { type: 'strategic', subresource: 'status' })
    this.#exists = true
    this.#confirmed = ''
  }

  async #delete(): Promise<void> {
    await this.#client.delete(pods, { namespace: this.#namespace, name: this.name }).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)))
    this.active.end()
    this.#left = undefined
    this.#exists = false
  }
}

/** As tarsregistry writes it. */
export const reasonOf = (present: string): string => `Active/${present}/7`
