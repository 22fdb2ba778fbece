import type { MergeNode } from '../definition.ts'
import { clone, isObject, setOwn } from '../json.ts'
import type { JsonObject } from '../json.ts'
import { fieldNode, listMembers } from './fields.ts'
import type { FieldTree } from './fields.ts'

/** `live` with all that `applied` says: maps merge, lists with identity merge item by item, all else is replaced. */
export function mergeApplied(live: unknown, applied: unknown, node: MergeNode): unknown {
  if (Array.isArray(applied)) return mergeList(live, applied, node)
  if (!isObject(applied) || !isObject(live) || node.atomic === true) return clone(applied)
  const result: JsonObject = { ...live }
  for (const [field, value] of Object.entries(applied)) {
    setOwn(result, field, Object.hasOwn(live, field) ? mergeApplied(live[field], value, fieldNode(node, field)) : clone(value))
  }
  return result
}

/** Applied items come in their order; items that only the live list has keep their place relative to those before them. */
function mergeList(live: unknown, applied: readonly unknown[], node: MergeNode): unknown {
  const ours = listMembers(applied, node)
  const theirs = Array.isArray(live) ? listMembers(live, node) : undefined
  if (ours === undefined || theirs === undefined) return clone(applied)
  const result = new Map<string, unknown>()
  const take = (name: string, item: unknown): unknown => result.set(name, theirs.has(name) ? mergeApplied(theirs.get(name), item, node.items ?? {}) : clone(item))
  const pending = [...ours]
  for (const [name, item] of theirs) {
    if (!ours.has(name)) result.set(name, item)
    else while (!result.has(name)) take(...(pending.shift() ?? [name, ours.get(name)]))
  }
  for (const [name, item] of pending) if (!result.has(name)) take(name, item)
  return [...result.values()]
}

/**
 * `value` without the paths in `gone`. A map or item goes as a whole when nothing of it is `kept` by anyone
 * and nothing is left in it.
 */
export function removeFields(value: unknown, gone: FieldTree, kept: FieldTree, node: MergeNode): unknown {
  if (Array.isArray(value)) return removeItems(value, gone, kept, node)
  if (!isObject(value)) return value
  const result: JsonObject = {}
  for (const [field, child] of Object.entries(value)) {
    const rest = removeOne(child, gone.children.get(`f:${field}`), kept.children.get(`f:${field}`), fieldNode(node, field))
    if (rest !== undefined) setOwn(result, field, rest)
  }
  return result
}

function removeItems(list: readonly unknown[], gone: FieldTree, kept: FieldTree, node: MergeNode): unknown {
  const members = listMembers(list, node)
  if (members === undefined) return list
  return [...members].flatMap(([name, item]) => {
    const rest = removeOne(item, gone.children.get(name), kept.children.get(name), node.items ?? {})
    return rest === undefined ? [] : [rest]
  })
}

function removeOne(value: unknown, gone: FieldTree | undefined, kept: FieldTree | undefined, node: MergeNode): unknown {
  if (gone === undefined) return value
  if (kept === undefined && gone.self) return undefined
  const rest = removeFields(value, gone, kept ?? { self: false, children: new Map() }, node)
  const emptied = (isObject(rest) && Object.keys(rest).length === 0) || (Array.isArray(rest) && rest.length === 0)
  return emptied && kept === undefined ? undefined : rest
}
