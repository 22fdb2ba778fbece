// Which version of a file counts (framework-services 2.3, control-plane B.3). Pure.
import { annotations, labels } from '#api/names.ts'
import type { TConfig } from '#api/types.ts'

/**
 * The version in force among all versions of one file for one pod sequence.
 * A switch is two writes: for a moment two versions are activated, or none. Of two, the one that is not being
 * replaced and was activated last counts; of none, the one that was in force last, so that a switch is never
 * seen as a missing file. One that was only prepared never counts.
 */
export function versionInForce(versions: Iterable<TConfig>): TConfig | undefined {
  let best: TConfig | undefined
  for (const version of versions) if (wasInForce(version) && (best === undefined || compare(version, best) > 0)) best = version
  return best
}

const wasInForce = ({ activated, metadata: { annotations: notes = {} } }: TConfig): boolean => activated || annotations.activatedAt in notes || annotations.replacedAt in notes

function compare(a: TConfig, b: TConfig): number {
  return rank(a) - rank(b) || order(activatedAt(a), activatedAt(b)) || order(a.metadata.name, b.metadata.name)
}

function rank({ activated, metadata }: TConfig): number {
  if (metadata.labels?.[labels.deleting] !== undefined || metadata.deletionTimestamp !== undefined) return 0
  if (!activated) return 1
  return metadata.labels?.[labels.deactivate] === undefined ? 3 : 2
}

/** When it was activated last; comparable as text. An inactive one counts by when it was replaced. */
function activatedAt({ activated, metadata, version, updateTime }: TConfig): string {
  const notes = metadata.annotations ?? {}
  const at = activated ? notes[annotations.activatedAt] : (notes[annotations.replacedAt] ?? notes[annotations.activatedAt])
  return at ?? updateTime ?? metadata.creationTimestamp ?? version ?? ''
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
