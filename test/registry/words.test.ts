// What nodes tell several registries, with all that can be late, lost, cut, paused or started anew on the way: whoever took the last
// word goes by it, and in the end the pod and every registry say it. TARSK8S_SEED replays one history, TARSK8S_HISTORIES says how many.
import { setImmediate as settled } from 'node:timers/promises'
import { afterEach, expect, test, vi } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { CallerCheck, noCallers, uncheckedCallers } from '#kube/caller-check.ts'
import type { KubeClient } from '#kube/client.ts'
import { KubeError, networkError } from '#kube/errors.ts'
import { Informer } from '#kube/informer.ts'
import { pods } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import type { Current } from '#tars/server.ts'
import { followPod } from '../../framework/registry/feeds.ts'
import { Directory } from '../../framework/registry/model/directory.ts'
import type { PodCondition, PodObject } from '../../framework/registry/model/pod-state.ts'
import type { ServantView } from '../../framework/registry/model/views.ts'
import { registryServant } from '../../framework/registry/registry-servant.ts'
import { Reports, type WriteConditions } from '../../framework/registry/reports.ts'
import { seeded, type Random } from '../chaos/random.ts'

const histories = Number(process.env['TARSK8S_HISTORIES'] ?? 10_000)
const seed = process.env['TARSK8S_SEED']
const registryCount = 3
const noon = 1_800_000_000

/** Whose turns pauses of the code are. */
let turns: Turns | undefined
vi.mock('node:timers/promises', async (original) => ({
  ...(await original<object>()),
  setTimeout: (_ms: number, _value: unknown, { signal }: { signal?: AbortSignal } = {}) => turns?.next('pause', undefined, signal),
}))
afterEach(() => (turns = undefined))

/** Brings what is under way on in any order, one after the other. */
class Turns {
  readonly log: string[] = []
  readonly #random: Random
  readonly #waiting: { readonly what: string; readonly owner: object | undefined; readonly go: () => void }[] = []
  readonly #paused = new Set<object>()

  constructor(random: Random) {
    this.#random = random
  }

  /** Resolves when it is its turn. @param owner who must not be paused then */
  next(what: string, owner?: object, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ what, owner, go: () => (signal?.aborted === true ? reject(signal.reason as Error) : resolve()) })
    })
  }

  pause(owner: object): void {
    this.#paused.add(owner)
  }

  resume(owner: object): void {
    this.#paused.delete(owner)
  }

  /** @param check after each turn */
  async all(check: () => void): Promise<void> {
    for (await settled(); this.#waiting.length > 0; await settled()) {
      let able = this.#waiting.filter(({ owner }) => owner === undefined || !this.#paused.has(owner))
      if (able.length === 0) {
        this.#paused.clear()
        able = this.#waiting
      }
      const chosen = this.#random.pick(able)
      this.#waiting.splice(this.#waiting.indexOf(chosen), 1)
      this.log.push(chosen.what)
      chosen.go()
      await settled()
      check()
    }
  }
}

/** A pod of one name, as an API server has it: versions, events in their order, answers that may be lost. */
class Api {
  pod: PodObject | undefined
  now = noon
  readonly events: { readonly type: string; readonly object: PodObject }[] = []
  readonly #random: Random
  readonly #turns: Turns
  #version = 0
  #isFaulty = true
  #changed = Promise.withResolvers<void>()

  constructor(random: Random, turns: Turns) {
    this.#random = random
    this.#turns = turns
  }

  get version(): string {
    return String(this.#version)
  }

  heal(): void {
    this.#isFaulty = false
  }

  set(pod: PodObject | undefined): void {
    const object = { ...(pod ?? (this.pod as PodObject)) }
    const type = pod === undefined ? 'DELETED' : this.pod === undefined ? 'ADDED' : 'MODIFIED'
    const versioned = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } }
    this.pod = pod === undefined ? undefined : versioned
    this.events.push({ type, object: versioned })
    this.#turns.log.push(`api: ${type} ${versioned.metadata.uid} ${reasonOf(versioned) ?? ''} @${versioned.metadata.resourceVersion}`)
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }

  #fails(): boolean {
    return this.#isFaulty && this.#random.whole(0, 9) === 0
  }

  /** There and back. */
  async #asked<T>(what: string, owner: object, answer: () => T): Promise<T> {
    await this.#turns.next(`${what} goes`, owner)
    if (this.#fails()) throw networkError('the request is lost')
    const given = answer()
    await this.#turns.next(`${what} is answered`, owner)
    if (this.#fails()) throw networkError('the answer is lost')
    return given
  }

  get(who: string, owner: object): Promise<PodObject | undefined> {
    return this.#asked(`${who} get`, owner, () => this.pod)
  }

  write(who: string, owner: object): WriteConditions {
    return ({ uid, resourceVersion }, conditions) =>
      this.#asked(`${who} writes ${conditions[0]?.reason} of ${conditions[0]?.lastProbeTime} to ${uid} @${resourceVersion}`, owner, () => {
        const { pod } = this
        if (pod === undefined) throw new KubeError('there is none', { status: 404, reason: 'NotFound' })
        if (uid !== pod.metadata.uid || (resourceVersion ?? pod.metadata.resourceVersion) !== pod.metadata.resourceVersion) throw new KubeError('it is another', { status: 409, reason: 'Conflict' })
        this.set({ ...pod, status: { ...pod.status, conditions: [...(pod.status?.conditions ?? []).filter(({ type }) => !conditions.some((one) => one.type === type)), ...conditions] } })
        return this.pod as PodObject
      })
  }

  client(who: string, owner: object): KubeClient {
    const list = () => this.#asked(`${who} list`, owner, () => ({ items: this.pod === undefined ? [] : [this.pod], metadata: { resourceVersion: this.version } }))
    return { list, watch: (_: unknown, { resourceVersion }: { resourceVersion: string }) => this.#watch(who, owner, Number(resourceVersion)) } as unknown as KubeClient
  }

  async *#watch(who: string, owner: object, from: number): AsyncGenerator<unknown> {
    for (let at = from; ; at++) {
      while (this.#version <= at) await this.#changed.promise
      await this.#turns.next(`${who} watch`, owner)
      if (this.#fails()) throw this.#random.whole(0, 1) === 0 ? networkError('the watch is cut') : new KubeError('too old', { status: 410, reason: 'Expired' })
      yield this.events[at]
    }
  }
}

const reasonOf = (pod: PodObject): string | undefined => pod.status?.conditions?.find(({ type }) => type === 'tars.io/active')?.reason
const unchecked = new CallerCheck({ ...uncheckedCallers, callers: noCallers, log: silentLogger })

/** One run of a registry's process. */
class RunningRegistry {
  readonly name: string
  readonly #informer: Informer
  readonly #directory = new Directory<ServantView>({ hostForm: 'dns', prepare: (view) => view })
  readonly #servant: ReturnType<typeof registryServant>
  readonly #turns: Turns
  readonly #ended = Promise.withResolvers<never>()
  #hasEnded = false

  constructor(name: string, api: Api, all: Turns) {
    this.name = name
    this.#turns = all
    this.#ended.promise.catch(() => {})
    this.#directory.setEndpoint({ metadata: { name: 'a-b' }, spec: { app: 'A', server: 'B', tars: { servants: [{ name: 'O', port: 1, isTcp: true, timeout: 1 }] } } } as never)
    this.#informer = new Informer({ client: this.#whileItRuns(api.client(name, this)), resource: pods, log: silentLogger })
    const write = this.#whileItRuns({ write: api.write(name, this) }).write
    const fetch = async (): Promise<PodObject | undefined> => {
      const pod = await this.#whileItRuns(api).get(name, this)
      if (pod !== undefined) this.#informer.learn(pod as unknown as AnyObject)
      return pod
    }
    const reports = new Reports({ directory: this.#directory, write, fetch, clock: { now: () => api.now * 1000, monotonic: () => api.now * 1000 }, log: silentLogger })
    this.#informer.onChange((type, object) => followPod(type === 'deleted', object as unknown as PodObject, this.#directory, reports))
    this.#informer.start()
    this.#servant = registryServant({ directory: this.#directory, reports, check: unchecked, descriptors: unchecked, template: () => undefined, fetchPod: fetch, log: silentLogger })
  }

  /** Of a process that has ended nothing comes back, and nothing goes out. */
  #whileItRuns<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (object, key) => {
        const value: unknown = Reflect.get(object, key)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (this.#hasEnded) return new Promise(() => {})
          const given: unknown = value.apply(object, args)
          return given instanceof Promise ? given.then((result) => (this.#hasEnded ? new Promise(() => {}) : result), (error) => (this.#hasEnded ? new Promise(() => {}) : Promise.reject(error as Error))) : given
        }
      },
    })
  }

  get serves(): boolean {
    return !this.#hasEnded && this.#informer.hasSynced
  }

  /** Address of the pod that callers are sent to. */
  get gives(): string | undefined {
    return this.#directory.find('A.B.O').active.length === 0 ? undefined : this.#directory.pod('p')?.status?.podIP
  }

  kill(): void {
    this.#hasEnded = true
    this.#ended.reject(networkError('the connection has ended'))
    void this.#informer.stop()
  }

  /** @returns of what time the latest word is, when this one is not later */
  tell(node: Node, present: string, time: number): Promise<number | undefined> {
    return Promise.race([this.#told(node, present, time), this.#ended.promise])
  }

  async #told({ address, uid }: Node, present: string, time: number): Promise<number | undefined> {
    await this.#turns.next(`${uid} tells ${this.name} ${present} of ${time}`, this)
    if (!this.serves) throw networkError('it does not serve')
    const responseContext = new Map<string, string>()
    const current = { peer: { address }, context: new Map([['PID', '1'], ['Time', String(time)]]), responseContext } as unknown as Current
    let refused: unknown
    await Promise.resolve().then(() => this.#servant.updateServerState('p', 'Active', present, current)).catch((error: unknown) => (refused = error))
    this.#turns.log.push(`${this.name} ${refused === undefined ? 'takes' : 'refuses'} ${uid} ${present} of ${time}`)
    const latest = responseContext.get('Time')
    if (refused === undefined) this.heard = { uid, present, time }
    await this.#turns.next(`${this.name} answers ${uid}`, this)
    if (latest !== undefined) return Number(latest)
    if (refused !== undefined) throw refused as Error
    return undefined
  }

  /** The latest word that it took. */
  heard: { readonly uid: string; readonly present: string; readonly time: number } | undefined
}

/** The node of one pod, which tells its newest state until it is heard. */
class Node {
  readonly uid: string
  readonly address: string
  present = 'Inactive'
  /** Time of its latest word. */
  last = 0
  isGone = false
  talksTo: number
  heardBy: RunningRegistry | undefined
  readonly #world: World
  #isDirty = false
  #isTelling = false

  constructor(uid: string, address: string, talksTo: number, world: World) {
    this.uid = uid
    this.address = address
    this.talksTo = talksTo
    this.#world = world
  }

  say(present: string): void {
    this.present = present
    this.resend()
  }

  resend(): void {
    this.#isDirty = true
    if (!this.#isTelling) void this.#tell()
  }

  async #tell(): Promise<void> {
    const { turns: all, random, registries, api } = this.#world
    this.#isTelling = true
    while (this.#isDirty && !this.isGone) {
      this.#isDirty = false
      const registry = registries[this.talksTo % registryCount] as RunningRegistry
      // A word a second: how far the clocks of two pods' nodes are apart is not what is tried here.
      api.now++
      this.last = Math.max(this.last + 1, api.now)
      const call = registry.tell(this, this.present, this.last)
      try {
        const late = random.whole(0, 3) === 0 ? all.next(`${this.uid} waits no longer`).then(() => Promise.reject(networkError('not answered in time'))) : new Promise<never>(() => {})
        const latest = await Promise.race([call, late])
        if (latest === undefined) this.heardBy = registry
        else {
          this.last = Math.max(this.last, latest)
          this.#isDirty = true
        }
      } catch {
        call.catch(() => {})
        this.#isDirty = true
        this.talksTo++
        await all.next(`${this.uid} waits`)
      }
    }
    this.#isTelling = false
  }
}

class World {
  readonly random: Random
  readonly turns: Turns
  readonly api: Api
  readonly registries: RunningRegistry[]
  node: Node | undefined
  #made = 0

  constructor(number: number) {
    this.random = seeded(number)
    this.turns = turns = new Turns(this.random)
    this.api = new Api(this.random, this.turns)
    this.registries = Array.from({ length: registryCount }, (_, index) => new RunningRegistry(`r${index}`, this.api, this.turns))
  }

  async live(): Promise<void> {
    for (let left = this.random.whole(3, 25); left > 0; left--) {
      await this.turns.next('step')
      this.api.now += this.random.whole(0, 2)
      this.random.pick(this.#steps)()
    }
    this.api.heal()
  }

  /** More of what matters more. */
  readonly #steps: readonly (() => void)[] = [
    ...Array<() => void>(4).fill(() => this.node?.say(this.random.pick(['Active', 'Inactive', 'Activating']))),
    ...Array<() => void>(2).fill(() => this.#replace()),
    () => this.#touch(),
    () => void (this.node !== undefined && this.node.talksTo++),
    () => this.turns.pause(this.random.pick(this.registries)),
    () => this.registries.forEach((one) => this.turns.resume(one)),
    () => this.#restart(),
  ]

  #replace(): void {
    const { api, node, random } = this
    if (node !== undefined) node.isGone = true
    this.node = undefined
    if (api.pod !== undefined) api.set(undefined)
    if (random.whole(0, 3) === 0) return
    api.now++
    const uid = `u${++this.#made}`
    const address = node === undefined || random.whole(0, 3) === 0 ? `10.0.0.${random.whole(1, 3)}` : node.address
    const pod: PodObject = { metadata: { name: 'p', uid, creationTimestamp: new Date(api.now * 1000).toISOString(), labels: { 'tars.io/ServerApp': 'A', 'tars.io/ServerName': 'B' } }, spec: { readinessGates: [{ conditionType: 'tars.io/active' }] } }
    const addressed = { ...pod, status: { podIP: address } }
    if (random.whole(0, 1) === 0) api.set(pod)
    api.set(addressed)
    this.node = new Node(uid, address, random.whole(0, registryCount - 1), this)
    this.node.say('Inactive')
  }

  /** As the kubelet does, of other things. */
  #touch(): void {
    const { pod } = this.api
    if (pod === undefined) return
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'Ready')
    this.api.set({ ...pod, status: { ...pod.status, conditions: [...others, { type: 'Ready', status: 'True', message: this.api.version } as PodCondition] } })
  }

  #restart(): void {
    const index = this.random.whole(0, registryCount - 1)
    const old = this.registries[index] as RunningRegistry
    old.kill()
    this.turns.log.push(`${old.name} starts anew`)
    this.registries[index] = new RunningRegistry(old.name, this.api, this.turns)
    // Its connection has ended.
    if (this.node?.heardBy === old) this.node.resend()
  }

  /** Whoever took the last word that was said goes by it. */
  check(): void {
    const { node } = this
    for (const registry of this.registries) {
      const { heard } = registry
      if (node === undefined || heard?.uid !== node.uid || heard.time !== node.last) continue
      if (registry.gives === node.address && heard.present !== 'Active') throw new Error(`${registry.name} gives the pod out, and took its word that it is ${heard.present}`)
    }
  }

  /** What is so when nothing is under way any more. */
  end(): void {
    const { node, api } = this
    const expected = node === undefined ? undefined : `Active/${node.present}/1`
    expect(api.pod && reasonOf(api.pod)).toBe(expected)
    for (const registry of this.registries) expect([registry.name, registry.gives]).toEqual([registry.name, node?.present === 'Active' ? node.address : undefined])
  }
}

test(`after any of ${histories} histories the last word counts`, { timeout: 600_000 }, async () => {
  for (let number = 0; number < histories; number++) {
    const world = new World(seed === undefined ? number : Number(seed))
    try {
      void world.live()
      await world.turns.all(() => world.check())
      world.end()
    } catch (error) {
      throw new Error(`history ${seed ?? number}:\n${world.turns.log.join('\n')}`, { cause: error })
    } finally {
      world.registries.forEach((one) => one.kill())
    }
    if (seed !== undefined) break
  }
})
