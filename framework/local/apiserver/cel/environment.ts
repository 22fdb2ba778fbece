import { Environment } from '@marcbachmann/cel-js'
import type { ASTNode } from '@marcbachmann/cel-js'
import { compilePattern } from '../crd/patterns.ts'

// The Common Expression Language as Kubernetes has it (Kubernetes, "Common Expression Language in Kubernetes"): the language, its
// strings, and Kubernetes' lists and regular expressions. An expression with one of its other libraries (quantity, url, ip, cidr,
// format, authorizer …) does not compile here and is refused.

/** What expressions and their values may be. A list is Array, an object a Map of a class of its own, a whole number a bigint. */
export type CelValue = unknown

/** A base for environments with variables. */
export function kubernetesEnvironment(): Environment {
  const base = new Environment({ enableOptionalTypes: true })
    .registerFunction('string.find(string): string', (text: string, pattern: string) => expression(pattern).exec(text)?.[0] ?? '')
    .registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) => all(text, pattern))
    .registerFunction('string.findAll(string, int): list<string>', (text: string, pattern: string, limit: bigint) => all(text, pattern).slice(0, limit < 0n ? undefined : Number(limit)))
    .registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) => text.replaceAll(from, () => to))
    .registerFunction('list<A>.indexOf(A): int', (list: CelValue[], value: CelValue) => BigInt(list.findIndex((item) => same(item, value))))
    .registerFunction('list<A>.lastIndexOf(A): int', (list: CelValue[], value: CelValue) => BigInt(list.findLastIndex((item) => same(item, value))))
  for (const type of ['int', 'double', 'string', 'bool'] as const) {
    base.registerFunction(`list<${type}>.isSorted(): bool`, (list: (string | number)[]) => list.every((item, index) => index === 0 || (list[index - 1] as string | number) <= item))
  }
  for (const type of ['int', 'double', 'string'] as const) {
    base.registerFunction(`list<${type}>.min(): ${type}`, (list: (string | number)[]) => extreme(list, (one, other) => one < other))
    base.registerFunction(`list<${type}>.max(): ${type}`, (list: (string | number)[]) => extreme(list, (one, other) => one > other))
  }
  base.registerFunction('list<int>.sum(): int', (list: bigint[]) => list.reduce((sum, item) => sum + item, 0n))
  base.registerFunction('list<double>.sum(): double', (list: number[]) => list.reduce((sum, item) => sum + item, 0))
  return base
}

function expression(pattern: string, flags = ''): RegExp {
  const compiled = compilePattern(pattern)
  if (compiled === undefined) throw new Error(`error parsing regexp: ${pattern}`)
  return new RegExp(compiled.source, compiled.flags + flags)
}

const all = (text: string, pattern: string): string[] => text.match(expression(pattern, 'g')) ?? []

function extreme<T>(list: readonly T[], before: (one: T, other: T) => boolean): T {
  const [first, ...rest] = list
  if (first === undefined) throw new Error('min and max of an empty list')
  return rest.reduce((found, item) => (before(item, found) ? item : found), first)
}

/** Deep equality of values. */
export function same(one: CelValue, other: CelValue): boolean {
  if (one instanceof Map) return other instanceof Map && one.size === other.size && [...one].every(([key, value]) => other.has(key) && same(value, other.get(key)))
  if (Array.isArray(one)) return Array.isArray(other) && one.length === other.length && one.every((item, index) => same(item, other[index]))
  if (one instanceof Date) return other instanceof Date && one.getTime() === other.getTime()
  return one === other
}

/** True when an expression names the variable. */
export function mentions(node: ASTNode, variable: string): boolean {
  if (node.op === 'id') return node.args === variable
  return partsOf(node.args).some((part) => mentions(part, variable))
}

function partsOf(value: unknown): ASTNode[] {
  if (Array.isArray(value)) return value.flatMap(partsOf)
  return typeof value === 'object' && value !== null && 'op' in value ? [value as ASTNode] : []
}
