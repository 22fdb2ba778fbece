import { annotations, labels } from './names.ts'
import type { TConfig } from './types.ts'

/** Of the same application, server, set and file name. */
export function sameFile(a: TConfig, b: TConfig): boolean {
  return a.app === b.app && a.server === b.server && a.configName === b.configName && (a.set ?? '') === (b.set ?? '')
}

/** Versions of one file for one pod (or all): at most one of them is in force. */
export function inGroup(a: TConfig, b: TConfig): boolean {
  return sameFile(a, b) && a.podSeq === b.podSeq && a.metadata.name !== b.metadata.name
}

/**
 * The version in force: of the activated ones the one activated last. Two are activated only for the moment between an
 * activation and the controller's answer to it. K8SFramework's webhooks say of the one that is replaced that it is.
 */
export function activeVersion(group: readonly TConfig[]): TConfig | undefined {
  const active = group.filter(({ activated, metadata }) => activated && metadata.deletionTimestamp === undefined).toSorted(newestFirst)
  return active.find(({ metadata }) => metadata.labels?.[labels.deactivate] === undefined) ?? active[0]
}

/** When a version comes into force: now, but after all others of its group, whatever the clocks say of those who let them into force. */
export function activationTime(now: Date, group: readonly TConfig[]): Date {
  return new Date(Math.max(now.getTime(), ...group.map((config) => Date.parse(activatedAt(config)) + 1).filter((time) => !Number.isNaN(time))))
}

/** By activation, then creation, then version. */
export function newestFirst(a: TConfig, b: TConfig): number {
  return -compare([activatedAt(a), createdAt(a), a.version ?? '', a.metadata.name], [activatedAt(b), createdAt(b), b.version ?? '', b.metadata.name])
}

const createdAt = ({ metadata, updateTime }: TConfig): string => metadata.creationTimestamp ?? updateTime ?? ''
const activatedAt = (config: TConfig): string => config.metadata.annotations?.[annotations.activatedAt] ?? createdAt(config)

function compare(a: readonly string[], b: readonly string[]): number {
  const index = a.findIndex((value, at) => value !== b[at])
  if (index < 0) return 0
  return (a[index] ?? '') < (b[index] ?? '') ? -1 : 1
}
