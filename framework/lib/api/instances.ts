import type { TServerTars } from './types.ts'

export type Instance = NonNullable<TServerTars['instances']>[number]

/**
 * What TServer.spec.tars.instances says of one pod: all entries that concern it, the later one winning field by field.
 * @param ordinal number of the pod; undefined for a pod that has none, which only entries without `pods` concern
 */
export function instanceOf(instances: readonly Instance[] | undefined, ordinal: number | undefined): Omit<Instance, 'pods'> {
  const said: Record<string, unknown> = {}
  for (const { pods, ...fields } of instances ?? []) if (pods === undefined || (ordinal !== undefined && covers(pods, ordinal))) Object.assign(said, fields)
  return said
}

/** Whether `0-3,7` has the number in it. */
function covers(ordinals: string, ordinal: number): boolean {
  return ordinals.split(',').some((range) => {
    const [first, last = first] = range.split('-').map(Number)
    return first !== undefined && last !== undefined && first <= ordinal && ordinal <= last
  })
}
