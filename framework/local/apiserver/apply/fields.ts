import type { MergeNode } from '../definition.ts'
import { isObject } from '../json.ts'
import type { JsonObject } from '../json.ts'

/**
 * A set of field paths as a tree: FieldsV1 of managedFields (Kubernetes, "Server-Side Apply", field management).
 * Children are named `f:<field>`, `k:<keys as JSON>` (item of an associative list) and `v:<value as JSON>` (member of a set).
 */
export interface FieldTree {
  /** The path itself belongs to the set, not only what is below it. */
  self: boolean
  readonly children: Map<string, FieldTree>
}

export const emptyTree = (): FieldTree => ({ self: false, children: new Map() })
const leaf = (): FieldTree => ({ self: true, children: new Map() })
export const isEmpty = (tree: FieldTree): boolean => !tree.self && tree.children.size === 0

export function toFieldsV1(tree: FieldTree): Record<string, unknown> {
  const own = tree.self && tree.children.size > 0 ? [['.', {}] as const] : []
  return Object.fromEntries([...own, ...[...tree.children].map(([name, child]) => [name, toFieldsV1(child)] as const)])
}

export function fromFieldsV1(fields: unknown): FieldTree {
  const tree = emptyTree()
  if (!isObject(fields)) return tree
  for (const [name, child] of Object.entries(fields)) if (name !== '.') tree.children.set(name, fromFieldsV1(child))
  tree.self = Object.hasOwn(fields, '.') || tree.children.size === 0
  return tree
}

/** Merge rules of a field of a map. */
export function fieldNode(node: MergeNode, field: string): MergeNode {
  return node.fields?.[field] ?? node.values ?? {}
}

/** `k:{"name":"x"}` of an item, or undefined when it lacks one of the keys. Defaults: a port's protocol is TCP. */
function itemKey(item: unknown, keys: readonly string[]): string | undefined {
  if (!isObject(item)) return undefined
  const parts: [string, unknown][] = []
  for (const key of [...keys].sort()) {
    const value = item[key] ?? (key === 'protocol' ? 'TCP' : undefined)
    if (value === undefined) return undefined
    parts.push([key, value])
  }
  return `k:${JSON.stringify(Object.fromEntries(parts))}`
}

/** Items of a list by their path element, when the list has identity. */
export function listMembers(list: readonly unknown[], node: MergeNode): Map<string, unknown> | undefined {
  const keys = node.list
  if (keys === undefined) return undefined
  const members = new Map<string, unknown>()
  for (const item of list) {
    const name = keys === 'set' ? `v:${JSON.stringify(item)}` : itemKey(item, keys)
    if (name === undefined || members.has(name)) return undefined
    members.set(name, item)
  }
  return members
}

/** Children of a value that merges, by path element; undefined for a value that is replaced whole. */
export function membersOf(value: unknown, node: MergeNode): Map<string, { readonly value: unknown; readonly node: MergeNode }> | undefined {
  if (Array.isArray(value)) {
    const members = listMembers(value, node)
    return members && new Map([...members].map(([name, item]) => [name, { value: item, node: node.list === 'set' ? {} : (node.items ?? {}) }]))
  }
  if (!isObject(value) || node.atomic === true) return undefined
  return new Map(Object.entries(value).map(([field, child]) => [`f:${field}`, { value: child, node: fieldNode(node, field) }]))
}

/** All paths that `value` has. */
export function fieldsOf(value: unknown, node: MergeNode, inList = false): FieldTree {
  const members = membersOf(value, node)
  if (members === undefined || members.size === 0) return leaf()
  const tree = emptyTree()
  tree.self = inList
  for (const [name, member] of members) tree.children.set(name, fieldsOf(member.value, member.node, Array.isArray(value)))
  return tree
}

/** A tree of paths where a value appeared or changed, and one of where it went away. */
export interface Difference {
  readonly changed: FieldTree
  readonly removed: FieldTree
}

/** Compares two values by the merge rules. */
export function difference(before: unknown, after: unknown, node: MergeNode): Difference {
  const result = { changed: emptyTree(), removed: emptyTree() }
  compareInto(result, before, after, node)
  return result
}

function compareInto({ changed, removed }: Difference, before: unknown, after: unknown, node: MergeNode): void {
  const old = membersOf(before, node)
  const now = membersOf(after, node)
  if (old === undefined || now === undefined || Array.isArray(before) !== Array.isArray(after)) {
    if (JSON.stringify(before) !== JSON.stringify(after)) changed.self = true
    return
  }
  for (const [name, { value, node: below }] of now) {
    const earlier = old.get(name)
    if (earlier === undefined) {
      changed.children.set(name, withSelf(fieldsOf(value, below, true)))
      continue
    }
    const sub = difference(earlier.value, value, below)
    if (!isEmpty(sub.changed)) changed.children.set(name, sub.changed)
    if (!isEmpty(sub.removed)) removed.children.set(name, sub.removed)
  }
  for (const [name, { value, node: below }] of old) if (!now.has(name)) removed.children.set(name, withSelf(fieldsOf(value, below, true)))
}

function withSelf(tree: FieldTree): FieldTree {
  tree.self = true
  return tree
}

export function union(left: FieldTree, right: FieldTree): FieldTree {
  const tree: FieldTree = { self: left.self || right.self, children: new Map(left.children) }
  for (const [name, child] of right.children) {
    const mine = tree.children.get(name)
    tree.children.set(name, mine === undefined ? child : union(mine, child))
  }
  return tree
}

/** What is in `left` and not in `right`. */
export function minus(left: FieldTree, right: FieldTree): FieldTree {
  const tree: FieldTree = { self: left.self && !right.self, children: new Map() }
  for (const [name, child] of left.children) {
    const other = right.children.get(name)
    const rest = other === undefined ? child : minus(child, other)
    if (!isEmpty(rest)) tree.children.set(name, rest)
  }
  return tree
}

/** Like {@link minus}, where a path in `right` takes away all that is below it too. */
export function minusBelow(left: FieldTree, right: FieldTree): FieldTree {
  const tree: FieldTree = { self: left.self && !right.self, children: new Map() }
  if (right.self && right.children.size === 0) return tree
  for (const [name, child] of left.children) {
    const other = right.children.get(name)
    const rest = other === undefined ? child : minusBelow(child, other)
    if (!isEmpty(rest)) tree.children.set(name, rest)
  }
  return tree
}

/** What is in both. A whole value in one meets anything below it in the other. */
export function intersection(left: FieldTree, right: FieldTree): FieldTree {
  const tree: FieldTree = { self: left.self && right.self, children: new Map() }
  for (const [name, child] of left.children) {
    const other = right.children.get(name)
    if (other === undefined) continue
    const both = intersection(child, other)
    if (!isEmpty(both)) tree.children.set(name, both)
  }
  return tree
}

/** The paths as text, e.g. `.spec.containers[name="a"].image`, as in apply conflicts. */
export function pathsOf(tree: FieldTree, prefix = ''): string[] {
  const own = tree.self && prefix !== '' ? [prefix] : []
  return [...own, ...[...tree.children].flatMap(([name, child]) => pathsOf(child, prefix + pathText(name)))]
}

function pathText(name: string): string {
  const rest = name.slice(2)
  if (name.startsWith('f:')) return `.${rest}`
  if (name.startsWith('v:')) return `[=${rest}]`
  return `[${Object.entries(JSON.parse(rest) as JsonObject).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`
}
