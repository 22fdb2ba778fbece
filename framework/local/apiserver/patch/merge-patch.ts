import { clone, isObject, setOwn } from '../json.ts'
import type { JsonObject } from '../json.ts'

/** RFC 7386 on a copy of `target`: null removes, objects merge, all else replaces. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return clone(patch)
  const result: JsonObject = isObject(target) ? { ...target } : {}
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete result[field]
    else setOwn(result, field, applyMergePatch(result[field], value))
  }
  return result
}
