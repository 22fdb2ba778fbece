// Windows as tarsstat has them.
import type { Clock } from '#base/clock.ts'
import { silentLogger, type Logger } from '#base/log.ts'
import type { Store } from '#store/dataset.ts'
import { statDataset } from '#store/datasets.ts'
import { Fold } from '#store/fold.ts'
import { Intake } from '#store/intake.ts'
import { accountOf, KeyGuard, type KeyBounds } from '#store/key-guard.ts'
import { Keeper, type Keeping } from '#store/keeper.ts'
import { Spool } from '#store/spool.ts'
import { Windows } from '#store/windows.ts'
import { statRules } from '../../../framework/stat/model/stat-rules.ts'

export interface WindowsRig {
  /** Folders. */
  readonly journal: string
  readonly spool: string
  readonly store: Pick<Store, 'write'>
  readonly clock: Clock
  readonly lengthMs: number
  /** Gets the calls of each window that is over. */
  readonly told: number[]
  readonly maxBytes: number
  readonly bounds: KeyBounds
  readonly compactBytes: number
}

const rules = statRules('p')

/** Calls of one kind. */
export interface Calls {
  /** `App.Server` of who reports. */
  readonly by: string
  readonly name: string
  readonly count: number
}

/** @param rig its keeper is another one than that of {@link openKept} */
export function openWindows({ journal, keeper, clock, log = silentLogger, lengthMs = 60_000, bounds = { perReporter: 100, inAll: 1000 }, compactBytes }: Partial<WindowsRig> & Pick<WindowsRig, 'journal'> & { readonly keeper: Keeping; readonly log?: Logger }) {
  const windows = new Windows({ folder: journal, lengthMs, fold: (memory) => new Fold(rules, new KeyGuard(bounds), memory), keeper, log, ...(clock === undefined ? {} : { clock }), ...(compactBytes === undefined ? {} : { compactBytes }) })
  const intake = new Intake({ rules, bounds, variants: 1, windows })
  /** All of it as one report. */
  const add = (calls: readonly Calls[]): Promise<void> => {
    const sender = intake.begin(1, 'sender')
    for (const { by, name, count } of calls) {
      for (const number of [count, 0, 0, count * 3, count, count]) intake.lines.push(number)
      intake.lines.add(intake.known.entry(Buffer.from(JSON.stringify([by, name])), sender))
    }
    return intake.count(0, (sense) => {
      const [by = '', name = ''] = JSON.parse(intake.known.bytesOf(sense).toString()) as string[]
      return { by: accountOf(by), names: { master_name: by, slave_name: 'S.S', interface_name: name, tars_version: '', master_ip: 'm', slave_ip: 's', slave_port: 1, return_value: 0, slave_set_name: '', slave_set_area: '', slave_set_id: '' } }
    })
  }
  return { windows, add }
}

/** With all that is behind them, in one thread. */
export function openKept({ journal, spool: folder, store, told, maxBytes, ...more }: Partial<WindowsRig> & Pick<WindowsRig, 'journal' | 'spool' | 'store'>) {
  const spool = new Spool({ folder, dataset: statDataset, store, log: silentLogger, retryMs: 1, ...(maxBytes === undefined ? {} : { maxBytes }) })
  const keeper = new Keeper({ folder: journal, rules, spool, told: (sums) => told?.push([...sums].reduce((sum, { value: [count = 0] }) => sum + count, 0)), log: silentLogger })
  return { spool, ...openWindows({ journal, keeper, ...more }) }
}
