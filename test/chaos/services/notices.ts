import { setTimeout as sleep } from 'node:timers/promises'
import { Communicator } from '#tars/client.ts'
import { createNotifyKey, createReportInfo, Notify, type NotifyProxy } from '#tars/protocol/NotifyF.ts'
import type { Role } from './role.ts'

const GAP_MS = 300
const CALL_MS = 5_000
const [app, server] = ['Chaos', 'NotifyServer']
/** Milliseconds in which a notification may be lost with the process that took it: they are gathered for a write. */
const GATHER_MS = 1_000

/** Services that tell what happens to them, and whoever reads it. */
export class Notices {
  readonly #role: Role
  readonly #taken: { readonly number: number; readonly at: number; readonly starts: number }[] = []
  #sent = 0

  constructor(role: Role) {
    this.#role = role
  }

  get acknowledged(): number {
    return this.#taken.length
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#with(async (notify) => {
      while (!signal.aborted) {
        const { starts } = this.#role
        const number = this.#sent++
        const info = createReportInfo({ sApp: app, sServer: server, sMessage: `number ${number}`, sNodeName: 'node' })
        await notify.reportNotifyInfo(info).then(() => this.#taken.push({ number, at: performance.now(), starts }), () => {})
        await sleep(GAP_MS, undefined, { signal }).catch(() => {})
      }
    })
  }

  /** What is wrong, when nobody tells anything any more. Of what a process took that was ended later, the last of it may be lost. */
  async settledFaults(): Promise<readonly string[]> {
    const found = await this.#with((notify) => all(notify))
    const known = new Set(found)
    const lasts = new Map(this.#taken.map(({ starts, at }) => [starts, at]))
    const missing = this.#taken.filter(({ number, at, starts }) => !known.has(number) && (starts === this.#role.starts || at < (lasts.get(starts) ?? 0) - GATHER_MS))
    return [
      ...(known.size === found.length ? [] : [`notify: ${found.length - known.size} notifications are there twice`]),
      ...(missing.length === 0 ? [] : [`notify: ${missing.length} notifications are lost, the first is ${missing[0]?.number}`]),
      ...found.filter((number) => !(number < this.#sent)).map((number) => `notify: ${number} was never told`),
    ]
  }

  async #with<T>(work: (notify: NotifyProxy) => Promise<T>): Promise<T> {
    const communicator = new Communicator({ timeoutMs: CALL_MS })
    try {
      return await work(communicator.proxy<NotifyProxy>(Notify, this.#role.object('NotifyObj', 'notify')))
    } finally {
      await communicator.close()
    }
  }
}

async function all(notify: NotifyProxy): Promise<number[]> {
  const numbers: number[] = []
  for (let page = 0; ;) {
    const { stInfo } = await notify.getNotifyInfo(createNotifyKey({ name: `${app}.${server}`, page }))
    numbers.push(...stInfo.notifyItems.map(({ sMessage }) => Number(sMessage.split(' ').at(-1))))
    if (stInfo.nextpage === 0) return numbers
    page = stInfo.nextpage
  }
}
