import type { MergeNode } from '../definition.ts'
import { fieldNode } from '../apply/fields.ts'
import { badRequest } from '../errors.ts'
import { clone, equal, isObject, setOwn } from '../json.ts'
import type { JsonObject } from '../json.ts'

// Kubernetes' strategic merge patch: a merge patch that knows lists with keys, with the directives
// $patch, $retainKeys, $setElementOrder/<list> and $deleteFromPrimitiveList/<list>
// (Kubernetes design proposals, "Strategic Merge Patch").

/** Applies `patch` to a copy of `target`. @throws ApiError 400 on a directive that makes no sense */
export function applyStrategicPatch(target: unknown, patch: unknown, node: MergeNode): unknown {
  if (!isObject(patch)) return clone(patch)
  const directive = patch['$patch']
  if (directive === 'delete') return undefined
  if (directive === 'replace') return strip(patch)
  if (directive !== undefined && directive !== 'merge') throw badRequest(`Unknown $patch type ${JSON.stringify(directive)}`)
  const result: JsonObject = isObject(target) ? retained(target, patch['$retainKeys']) : {}
  for (const [field, value] of Object.entries(patch)) if (!field.startsWith('$')) patchField(result, field, value, { node: fieldNode(node, field), patch })
  applyListDirectives(result, patch, node)
  return result
}

function retained(target: JsonObject, keys: unknown): JsonObject {
  if (!Array.isArray(keys)) return { ...target }
  return Object.fromEntries(Object.entries(target).filter(([field]) => keys.includes(field)))
}

function patchField(result: JsonObject, field: string, value: unknown, { node, patch }: { readonly node: MergeNode; readonly patch: JsonObject }): void {
  if (value === null) delete result[field]
  else if (Array.isArray(value)) setOwn(result, field, patchList(result[field], value, node, patch[`$setElementOrder/${field}`]))
  else {
    const next = applyStrategicPatch(result[field], value, node)
    if (next === undefined) delete result[field]
    else setOwn(result, field, next)
  }
}

/** Directives may come without the list itself. */
function applyListDirectives(result: JsonObject, patch: JsonObject, node: MergeNode): void {
  for (const [directive, value] of Object.entries(patch)) {
    const [kind = '', field = ''] = directive.split('/', 2)
    if (!Array.isArray(value) || !Array.isArray(result[field])) continue
    const list: unknown[] = result[field]
    if (kind === '$deleteFromPrimitiveList') result[field] = list.filter((item) => !value.some((gone) => equal(gone, item)))
    if (kind === '$setElementOrder' && patch[field] === undefined) result[field] = reorder(list, value, keyOf(fieldNode(node, field)))
  }
}

function keyOf(node: MergeNode): string | undefined {
  return node.patchKey ?? (node.list === undefined || node.list === 'set' ? undefined : node.list[0])
}

function patchList(target: unknown, patch: readonly unknown[], node: MergeNode, order: unknown): unknown {
  const current: readonly unknown[] = Array.isArray(target) ? target : []
  const key = keyOf(node)
  if (key === undefined && node.list !== 'set') return clone(patch.filter((item) => !isObject(item) || item['$patch'] === undefined))
  const merged = key === undefined ? mergeScalars(current, patch) : mergeItems(current, patch, key, node)
  return Array.isArray(order) ? reorder(merged, order, key) : merged
}

function mergeScalars(current: readonly unknown[], patch: readonly unknown[]): unknown[] {
  return [...current, ...patch.filter((item) => !current.some((old) => equal(old, item)))]
}

function mergeItems(current: readonly unknown[], patch: readonly unknown[], key: string, node: MergeNode): unknown[] {
  if (patch.some((item) => isObject(item) && item['$patch'] === 'replace')) return patch.filter((item) => isObject(item) && item['$patch'] === undefined).map(clone)
  let result = [...current]
  for (const item of patch) {
    if (!isObject(item) || item[key] === undefined) throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`)
    const index = result.findIndex((old) => isObject(old) && equal(old[key], item[key]))
    if (item['$patch'] === 'delete') result = result.filter((_, at) => at !== index)
    else if (index < 0) result.push(strip(item))
    else result[index] = applyStrategicPatch(result[index], item, node.items ?? {})
  }
  return result
}

/** Items named in `order` come in that order; the others keep their place after the item that they followed. */
function reorder(list: readonly unknown[], order: readonly unknown[], key: string | undefined): unknown[] {
  const id = (item: unknown): string => JSON.stringify(key !== undefined && isObject(item) ? item[key] : item)
  const wanted = order.map(id)
  const ordered = list.filter((item) => wanted.includes(id(item))).sort((left, right) => wanted.indexOf(id(left)) - wanted.indexOf(id(right)))
  const result: unknown[] = []
  for (const item of list) result.push(wanted.includes(id(item)) ? ordered.shift() : item)
  return result
}

/** A copy without directives. */
function strip(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(strip)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([field, child]) => !field.startsWith('$') && child !== null).map(([field, child]) => [field, strip(child)]))
}
