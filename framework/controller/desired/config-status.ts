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
  if (config.activated || config.metadata.annotations?.[annotations.replacedAt] !== undefined) return no('Replaced', 'another version came into force after it; set activated to true to bring it back')
  return no('NotActivated', 'set activated to true to bring it into force')
}
