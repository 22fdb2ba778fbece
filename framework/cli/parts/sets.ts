// Sets of a server's pods, as --set gives them (framework-services 12). Pure.
import type { Instance } from '#api/instances.ts'
import { patterns } from '#api/schema/patterns.ts'
import { usageError } from './command.ts'

const setForm = new RegExp(patterns.set)
const podsForm = new RegExp(patterns.ordinals)

/** What `--set` takes for no set at all. */
export const noSet = 'none'

/**
 * Reads the values of `--set`: `name.area.group` for all pods, `0-3,7=name.area.group` for some by number.
 * @returns undefined when nothing was given, an empty list for "none"
 */
export function parseSets(texts: readonly string[]): readonly Instance[] | undefined {
  if (texts.length === 0) return undefined
  return texts.length === 1 && texts[0] === noSet ? [] : texts.map(parseSet)
}

function parseSet(text: string): Instance {
  const [set = '', pods, ...more] = text.split('=').toReversed()
  if (!setForm.test(set) || (pods !== undefined && !podsForm.test(pods)) || more.length > 0) throw usageError(`--set must be [PODS=]NAME.AREA.GROUP or ${noSet}, not "${text}"`, 'write e.g. --set mall.sz.1, or --set 0-3,7=mall.sz.1 for some of the pods')
  return { ...(pods === undefined ? {} : { pods }), set }
}

/** The sets that are given, in place of all that there were; what is said of weights, groups and traffic stays. */
export function withSets(known: readonly Instance[], given: readonly Instance[]): readonly Instance[] {
  const rest = known.map((one) => Object.fromEntries(Object.entries(one).filter(([field]) => field !== 'set'))).filter((one) => Object.keys(one).some((field) => field !== 'pods'))
  return [...rest, ...given]
}
