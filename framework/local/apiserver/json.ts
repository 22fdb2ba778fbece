/** Plain JSON values: copying, comparing, reading by path. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: unknown }

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A deep copy of a JSON value. Keys named `__proto__` stay plain data. */
export function clone<T>(value: T): T {
  if (Array.isArray(value)) return value.map(clone) as T
  if (!isObject(value)) return value
  const copy: JsonObject = {}
  for (const key of Object.keys(value)) setOwn(copy, key, clone(value[key]))
  return copy as T
}

/** Sets an own property whatever its name is. */
export function setOwn(target: JsonObject, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
  else target[key] = value
}

/** Deep equality of JSON values; a field that is undefined counts as absent. */
export function equal(left: unknown, right: unknown): boolean {
  if (left === right) return true
  if (Array.isArray(left)) return Array.isArray(right) && left.length === right.length && left.every((item, index) => equal(item, right[index]))
  if (!isObject(left) || !isObject(right)) return false
  const keys = definedKeys(left)
  return keys.length === definedKeys(right).length && keys.every((key) => Object.hasOwn(right, key) && equal(left[key], right[key]))
}

function definedKeys(object: JsonObject): string[] {
  return Object.keys(object).filter((key) => object[key] !== undefined)
}

/** The value at a path of field names, or undefined. */
export function at(value: unknown, path: readonly string[]): unknown {
  let here: unknown = value
  for (const field of path) {
    if (!isObject(here) || !Object.hasOwn(here, field)) return undefined
    here = here[field]
  }
  return here
}

/** Sets the value at a path, making the objects on the way. */
export function setAt(target: JsonObject, path: readonly string[], value: unknown): void {
  const last = path.at(-1)
  if (last === undefined) return
  let here = target
  for (const field of path.slice(0, -1)) {
    if (!isObject(here[field])) setOwn(here, field, {})
    here = here[field] as JsonObject
  }
  setOwn(here, last, value)
}

/** `.spec.replicas` → ['spec', 'replicas']: the simple paths of CRD scale subresources and selectable fields. */
export function simplePath(path: string): string[] {
  return path.split('.').filter((part) => part !== '')
}
