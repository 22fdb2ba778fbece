import type { FactsStatus, TServerCondition } from '#api/types.ts'

/** A condition whose time is not known yet. */
export type Fact = Omit<TServerCondition, 'lastTransitionTime' | 'observedGeneration'>

/**
 * A status of facts.
 * @param now RFC 3339; of those that hold now and did not before, or the other way round
 */
export function factsStatus({ metadata: { generation }, status }: { readonly metadata: { readonly generation?: number }; readonly status?: FactsStatus | undefined }, facts: readonly Fact[], now: string): FactsStatus {
  const observed = generation === undefined ? {} : { observedGeneration: generation }
  return {
    ...observed,
    conditions: facts.map((fact) => {
      const old = status?.conditions?.find(({ type }) => type === fact.type)
      return { ...fact, ...observed, lastTransitionTime: old?.status === fact.status ? old.lastTransitionTime : now }
    }),
  }
}
