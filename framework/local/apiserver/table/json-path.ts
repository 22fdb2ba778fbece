import { equal, isObject } from '../json.ts'

// The JSONPath of printer columns (Kubernetes, "JSONPath Support"): fields, quoted fields, indexes, slices of one,
// wildcards, and filters that compare one field with a literal.

type Step = (values: readonly unknown[]) => unknown[]
export type JsonPath = (value: unknown) => unknown[]

const tokens = /\.?\['((?:[^'\\]|\\.)*)'\]|\[\?\(@((?:\.[^=!<>\s)]+)+)\s*(==|!=)\s*("[^"]*"|'[^']*'|[^)\s]+)\s*\)\]|\[(-?\d+|\*)\]|\.\.?((?:[^.[\\]|\\.)+)/y

/** Compiles a path such as `.status.conditions[?(@.type=="Ready")].status`; undefined when it is not understood. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const source = text.trim().replace(/^\{(.*)\}$/s, '$1').replace(/^\$/, '')
  const steps: Step[] = []
  let position = 0
  while (position < source.length) {
    tokens.lastIndex = position
    const match = tokens.exec(source)
    if (match === null) return undefined
    position = tokens.lastIndex
    steps.push(stepOf(match))
  }
  return (value) => steps.reduce<unknown[]>((values, step) => step(values), [value])
}

function stepOf([, quoted, filterPath, operator, literal, index, name]: RegExpExecArray): Step {
  if (quoted !== undefined) return field(unescape(quoted))
  if (filterPath !== undefined) return filter(filterPath, operator ?? '==', literalOf(literal ?? ''))
  if (index !== undefined) return index === '*' ? wildcard : element(Number(index))
  return name === '*' ? wildcard : field(unescape(name ?? ''))
}

const unescape = (text: string): string => text.replace(/\\(.)/g, '$1')

function field(name: string): Step {
  return (values) => values.flatMap((value) => (isObject(value) && Object.hasOwn(value, name) ? [value[name]] : []))
}

const wildcard: Step = (values) => values.flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : isObject(value) ? Object.values(value) : []))

function element(index: number): Step {
  return (values) => values.flatMap((value) => (Array.isArray(value) && value.at(index) !== undefined ? [value.at(index) as unknown] : []))
}

function filter(path: string, operator: string, literal: unknown): Step {
  const read = parseJsonPath(path)
  const holds = (item: unknown) => (read?.(item) ?? []).some((found) => equal(found, literal))
  return (values) => wildcard(values).filter((item) => holds(item) === (operator === '=='))
}

function literalOf(text: string): unknown {
  if (/^['"]/.test(text)) return text.slice(1, -1)
  if (text === 'true' || text === 'false') return text === 'true'
  return Number.isNaN(Number(text)) ? text : Number(text)
}
