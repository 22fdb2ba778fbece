import { setTimeout as sleep } from 'node:timers/promises'
import { annotations } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TConfig } from '#api/types.ts'
import type { KubeClient } from '#kube/client.ts'
import { isAlreadyExists } from '#kube/errors.ts'
import { Communicator } from '#tars/client.ts'
import { Config, type ConfigProxy } from '#tars/protocol/ConfigF.ts'
import type { Role } from './role.ts'

const GAP_MS = 100
const CALL_MS = 5_000
const [app, server, file] = ['Chaos', 'ConfigServer', 'a.conf']
/** Kept of what was wrong. */
const MOST_FAULTS = 5

/** A configuration file whose versions follow each other, and services that load it. */
export class Configs {
  readonly faults: string[] = []
  answers = 0
  readonly #role: Role
  readonly #client: KubeClient
  readonly #namespace: string
  /** Versions that were sent to the API server. */
  #sent = 0
  #inForce = 0
  #switching: Promise<unknown> = Promise.resolve()

  constructor(role: Role, client: KubeClient, namespace: string) {
    this.#role = role
    this.#client = client
    this.#namespace = namespace
  }

  /** Puts another version in force; one after the other, and each until the API server has it. */
  change(signal: AbortSignal): Promise<unknown> {
    const version = ++this.#sent
    return (this.#switching = this.#switching.then(async () => {
      await untilTaken(() => this.#create(version), signal)
      if (version > 1) await untilTaken(() => this.#replace(version - 1), signal)
      this.#inForce = version
    }))
  }

  async run(signal: AbortSignal): Promise<void> {
    const communicator = new Communicator({ timeoutMs: CALL_MS })
    const config = communicator.proxy<ConfigProxy>(Config, this.#role.object('ConfigObj', 'config'))
    while (!signal.aborted) {
      await this.#load(config).catch(() => {})
      await sleep(GAP_MS, undefined, { signal }).catch(() => {})
    }
    await communicator.close()
  }

  async settledFaults(): Promise<readonly string[]> {
    const communicator = new Communicator({ timeoutMs: CALL_MS })
    try {
      const { config } = await communicator.proxy<ConfigProxy>(Config, this.#role.object('ConfigObj', 'config')).loadConfig(app, server, file)
      return config === textOf(this.#inForce) && this.#inForce === this.#sent ? [] : [`config: version ${this.#sent} was made, ${this.#inForce} is in force, and ${JSON.stringify(config)} is loaded`]
    } finally {
      await communicator.close()
    }
  }

  async #load(config: ConfigProxy): Promise<void> {
    const { return: code, config: text } = await config.loadConfig(app, server, file)
    this.answers++
    const version = Number(/^version=(\d+)$/.exec(text)?.[1])
    const isKnown = code === 0 && version >= 1 && version <= this.#sent
    if (!isKnown && this.faults.length < MOST_FAULTS) this.faults.push(`config: a load was answered ${code} ${JSON.stringify(text)}, and there are versions 1 to ${this.#sent}`)
  }

  async #create(version: number): Promise<void> {
    const metadata = { name: nameOf(version), namespace: this.#namespace, annotations: { [annotations.activatedAt]: momentOf(version) } }
    const object = { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TConfig', metadata, app, server, configName: file, configContent: textOf(version), podSeq: 'm', activated: true, version: String(version) }
    await this.#client.create(resources.tconfigs, object as TConfig).catch((error: unknown) => (isAlreadyExists(error) ? undefined : Promise.reject(error)))
  }

  async #replace(version: number): Promise<void> {
    await this.#client.patch(resources.tconfigs, { namespace: this.#namespace, name: nameOf(version) }, { metadata: { annotations: { [annotations.replacedAt]: momentOf(version + 1) } }, activated: false }, { type: 'merge' })
  }
}

const nameOf = (version: number): string => `chaos-config-${version}`
const textOf = (version: number): string => `version=${version}`
const momentOf = (version: number): string => new Date(Date.UTC(2026, 0, 1) + version * 1_000).toISOString()

async function untilTaken(write: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await write()
      return
    } catch (error) {
      if (signal.aborted) throw error
      await sleep(200, undefined, { signal })
    }
  }
}
