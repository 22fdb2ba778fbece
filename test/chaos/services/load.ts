import { Asker } from './asker.ts'
import { Configs } from './configs.ts'
import type { ServicesField } from './field.ts'
import { Logs } from './logs.ts'
import { Masters } from './masters.ts'
import { Monitored } from './monitors.ts'
import { Notices } from './notices.ts'
import { namespace } from '../../registry/cluster.ts'
import { Pod, reasonOf } from './pod.ts'

const PODS = 3

/** All clients of the services, and what each of them holds for true. */
export class Load {
  /** Those that come and go. */
  readonly pods: readonly Pod[]
  readonly configs: Configs
  readonly #pair: readonly Pod[]
  readonly #askers: readonly Asker[]
  readonly #masters: Masters
  readonly #monitored: readonly Monitored[]
  readonly #logs: Logs
  readonly #notices: Notices
  readonly #reports = new AbortController()
  readonly #abort = new AbortController()
  #reporting: Promise<unknown> = Promise.resolve()
  #working: Promise<unknown> = Promise.resolve()

  constructor(field: ServicesField, seed: number) {
    const { client } = field
    const registries = field.of('tarsregistry')
    const podsOf = (server: string): Pod[] => Array.from({ length: PODS }, (_, number) => new Pod({ app: 'Chaos', server, number, client, namespace, registries }))
    this.pods = ['Alpha', 'Beta', 'Gamma'].flatMap(podsOf)
    this.#pair = podsOf('Pair')
    this.#askers = registries.map((registry) => new Asker(registry, [...this.pods, ...this.#pair]))
    this.#masters = new Masters(this.#pair, registries, seed)
    this.configs = new Configs(field.only('tarsconfig'), client, namespace)
    this.#monitored = [new Monitored('stat', field.of('tarsstat'), field.only('tarsquerystat')), new Monitored('property', field.of('tarsproperty'), field.only('tarsqueryproperty'))]
    this.#logs = new Logs(field.only('tarslog'))
    this.#notices = new Notices(field.only('tarsnotify'))
  }

  start(): void {
    const { signal } = this.#abort
    this.configs.change(signal).then(() => this.configs.run(signal)).catch(() => {})
    this.#working = Promise.all([...this.#everyPod, ...this.#askers, this.#masters].map((one) => one.run(signal)))
    this.#reporting = Promise.all([...this.#monitored, this.#logs, this.#notices].map((one) => one.run(this.#reports.signal)))
  }

  /** From now on nobody reports, so that it can be counted. */
  async endReports(): Promise<void> {
    this.#reports.abort()
    await this.#reporting
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.endReports()
    await this.#working
    await Promise.all(this.#monitored.map((one) => one.close()))
  }

  /** What is not as it should be now, while nobody disturbs anything. */
  async faults(): Promise<readonly string[]> {
    const found = await Promise.all([
      ...this.#everyPod.map((pod) => answered(pod.name, async () => {
        const condition = await pod.condition()
        const wanted = pod.wanted === 'gone' ? undefined : reasonOf(pod.wanted)
        return condition === wanted ? [] : [`${pod.name}: its condition says ${condition ?? 'nothing'}, the truth is ${wanted ?? 'that it is gone'}`]
      })),
      ...this.#askers.map((asker, number) => answered(`registry ${number}`, () => this.#servingFaults(asker, number))),
      answered('config', () => this.configs.settledFaults()),
    ])
    return [...found.flat(), ...(this.#masters.master === undefined ? ['no pod of Chaos.Pair is master'] : [])]
  }

  /** What is not as it should be when nobody reports any more. */
  async settledFaults(): Promise<readonly string[]> {
    const found = await Promise.all([...this.#monitored.map((one) => answered('stat or property', () => one.settledFaults())), answered('notify', () => this.#notices.settledFaults())])
    return [...found.flat(), ...this.#logs.settledFaults()]
  }

  pastFaults(): readonly string[] {
    return [...this.#askers, this.#masters, this.configs, ...this.#monitored].flatMap(({ faults }) => faults)
  }

  get summary(): string {
    const [stat, property] = this.#monitored.map(({ ledger }) => `${ledger.acknowledged} of ${ledger.sent}`)
    return `${this.#askers.map(({ answers }) => answers).join(' and ')} answers of registries, ${this.#masters.grants} grants of the lock, ${this.configs.answers} loads of configuration; acknowledged: ${stat} lines of stat, ${property} values, ${this.#logs.acknowledged} lines of logs, ${this.#notices.acknowledged} notifications`
  }

  get #everyPod(): readonly Pod[] {
    return [...this.pods, ...this.#pair]
  }

  async #servingFaults(asker: Asker, number: number): Promise<readonly string[]> {
    const objects = [...new Set(this.#everyPod.map(({ server }) => server))]
    const faults = await Promise.all(objects.map(async (server) => {
      const given = (await asker.serving(`Chaos.${server}.Obj`)).toSorted()
      const wanted = this.#everyPod.filter((pod) => pod.server === server && pod.wanted === 'Active').map(({ name }) => name)
      return given.join() === wanted.join() ? [] : [`registry ${number} gives ${given.join(', ') || 'nobody'} for Chaos.${server}, the truth is ${wanted.join(', ')}`]
    }))
    return faults.flat()
  }
}

async function answered(who: string, ask: () => Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await ask()
  } catch (error) {
    return [`${who}: ${error instanceof Error ? error.message : String(error)}`]
  }
}
