import { annotations } from '#api/names.ts'
import type { FactsStatus, TConfig } from '#api/types.ts'
import { factsStatus, type Fact } from './facts.ts'

/** Whether a version of a file is in force. @param active the one of its group that is */
export function configStatus(config: TConfig, active: TConfig | undefined, now: string): FactsStatus {
  return factsStatus(config, [activity(config, active)], now)
}

// Says nothing of the other versions: each activation would have the status of all of them written.
function activity(config: TConfig, active: TConfig | undefined): Fact {
  const no = (reason: string, message: string): Fact => ({ type: 'Active', status: 'False', reason, message })
  if (config === active) return { type: 'Active', status: 'True', reason: 'InForce', message: config.podSeq === 'm' ? 'pods get it that have no version of their own' : `pod ${config.podSeq} gets it` }
  if (config.activated || wasReplaced(config) || isReplaced(config, active)) return no('Replaced', 'another version came into force after it; set activated to true to bring it back')
  return no('NotActivated', 'set activated to true to bring it into force')
}

/** Whether another version has come into force after it. */
export function wasReplaced({ activated, metadata, status }: TConfig): boolean {
  return metadata.annotations?.[annotations.replacedAt] !== undefined || (!activated && status?.conditions?.some(({ type, reason }) => type === 'Active' && reason === 'Replaced') === true)
}

/** K8SFramework does not write it down, and has older versions that were in force. They are told when they are first seen. */
function isReplaced({ metadata, status }: TConfig, active: TConfig | undefined): boolean {
  return status === undefined && (metadata.creationTimestamp ?? '') < (active?.metadata.creationTimestamp ?? '')
}
