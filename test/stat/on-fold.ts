// The servants of tarsstat and tarsproperty on one fold, without windows and a journal.
import { Fold, sumsOf, type FoldRules, type Sum } from '#store/fold.ts'
import { Intake } from '#store/intake.ts'
import { KeyGuard, type KeyBounds } from '#store/key-guard.ts'
import { Tape } from '#store/tape.ts'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import type { FunctionCodec } from '#tars/idl/interface.ts'
import { PropertyF, type StatPropMsgBody, type StatPropMsgHead } from '#tars/protocol/PropertyF.ts'
import { StatF, type StatMicMsgBody, type StatMicMsgHead } from '#tars/protocol/StatF.ts'
import type { Current } from '#tars/server.ts'
import { propertyRules } from '../../framework/property/model/property-rules.ts'
import { variants as propertyVariants } from '../../framework/property/property-lines.ts'
import { propertyServant } from '../../framework/property/property-servant.ts'
import { statRules } from '../../framework/stat/model/stat-rules.ts'
import { variants as statVariants } from '../../framework/stat/stat-lines.ts'
import { statServant } from '../../framework/stat/stat-servant.ts'

/** Two servers, each with a pod, by address. */
const pods: Readonly<Record<string, { readonly pod: string; readonly owner: string }>> = { evil: { pod: 'evil-pod-0', owner: 'Evil.Pod' }, bank: { pod: 'bank-vault-0', owner: 'Bank.Vault' } }
const owners = Object.values(pods).map(({ owner }) => owner)

export interface OnFold {
  readonly fold: Fold
  readonly intake: Intake
  /** The body of a report of calls or values. */
  report(body: Buffer): Promise<number>
  /** @param sender address of a pod, or a stranger's */
  calls(sender: string, lines: readonly (readonly [StatMicMsgHead, StatMicMsgBody])[], fromClient: boolean): Promise<number>
  /** @param caller as it calls itself; default: its address */
  values(sender: string, entries: readonly (readonly [StatPropMsgHead, StatPropMsgBody])[], caller?: string): Promise<number>
  /** What was counted; nothing is left. */
  sums(): Sum[]
}

export function onFold(kind: 'stat' | 'property', bounds: KeyBounds): OnFold {
  const rules: FoldRules = kind === 'stat' ? statRules('p') : propertyRules('p')
  const fold = new Fold(rules, new KeyGuard(bounds))
  const tape = new Tape()
  const windows = {
    async add(count: (to: Fold, taken: Tape) => void): Promise<void> {
      count(fold, tape)
      tape.clear()
    },
  }
  const intake = new Intake({ rules, bounds, variants: kind === 'stat' ? statVariants : propertyVariants, windows })
  const callers = { at: (address: string) => pods[address], sharerAt: () => undefined, isPod: () => false, isOwner: (name: string) => owners.includes(name), version: 1 }
  const check = { admits: (address: string, server: string) => server === pods[address]?.owner || !owners.includes(server) }
  const current = (address: string, caller: string): Current => ({ caller, peer: { address } }) as Current
  const [ofCalls, ofValues] = [statServant({ intake, callers, check, samples: { taken: 0 } }), propertyServant({ intake, callers, check })]
  const report = (body: Uint8Array, sender: string, caller = sender): Promise<number> => (kind === 'stat' ? ofCalls.reportMicMsg(new Reader(body), current(sender, caller)) : ofValues.reportPropMsg(new Reader(body), current(sender, caller)))
  const encoded = (codec: FunctionCodec | undefined, args: readonly unknown[]): Uint8Array => {
    const writer = new Writer()
    codec?.writeArgs(writer, args)
    return writer.bytes()
  }
  return {
    fold, intake,
    report: (body) => report(body, 'x'),
    calls: (sender, lines, fromClient) => report(encoded(StatF.functions['reportMicMsg'], [new Map(lines), fromClient]), sender),
    values: (sender, entries, caller) => report(encoded(PropertyF.functions['reportPropMsg'], [new Map(entries)]), sender, caller),
    sums: () => [...sumsOf(rules, fold.release())].map(({ value, ...sum }) => ({ ...sum, value: Float64Array.from(value) })),
  }
}
