import { at, isObject, simplePath } from './json.ts'
import { badRequest } from './errors.ts'
import type { AnyObject } from '#kube/types.ts'

export type Predicate = (object: AnyObject) => boolean
type Labels = Readonly<Record<string, string>>
type Requirement = (labels: Labels) => boolean

/** Parses a label selector (Kubernetes, "Labels and Selectors"): `a=b,c!=d,e in (x,y),f notin (z),g,!h`. */
export function labelPredicate(text: string): Predicate {
  const requirements = splitTop(text).map(parseRequirement)
  return (object) => requirements.every((test) => test(object.metadata.labels ?? {}))
}

/** Parses a field selector (`=`, `==`, `!=`); only `fields` may be selected by. */
export function fieldPredicate(text: string, fields: readonly string[]): Predicate {
  const tests = text.split(',').filter((part) => part.trim() !== '').map((part) => {
    const match = /^\s*([^=!]+?)\s*(!=|==|=)\s*(.*?)\s*$/.exec(part)
    if (match === null) throw badRequest(`invalid selector: '${part}'; can't understand '${part}'`)
    const [, field = '', operator, value = ''] = match
    if (!fields.includes(field)) throw badRequest(`field label not supported: ${field}`)
    const path = simplePath(field)
    return (object: AnyObject) => (fieldText(at(object, path)) === value) === (operator !== '!=')
  })
  return (object) => tests.every((test) => test(object))
}

function fieldText(value: unknown): string {
  if (value === undefined || value === null || isObject(value)) return ''
  return String(value as string | number | boolean)
}

/** LabelSelector objects: matchLabels and matchExpressions; an empty one selects everything. */
export function selectorMatches(selector: unknown, labels: Labels): boolean {
  if (!isObject(selector)) return true
  const exact = Object.entries((selector['matchLabels'] ?? {}) as Labels)
  const expressions = (selector['matchExpressions'] ?? []) as { key: string; operator: string; values?: string[] }[]
  return exact.every(([key, value]) => labels[key] === value) && expressions.every(({ key, operator, values = [] }) => expression(key, operator, values)(labels))
}

function expression(key: string, operator: string, values: readonly string[]): Requirement {
  const has = (labels: Labels) => Object.hasOwn(labels, key)
  const among = (labels: Labels) => has(labels) && values.includes(labels[key] ?? '')
  if (operator === 'Exists') return has
  if (operator === 'DoesNotExist') return (labels) => !has(labels)
  if (operator === 'In') return among
  if (operator === 'NotIn') return (labels) => !among(labels)
  throw badRequest(`"${operator}" is not a valid label selector operator`)
}

/** Splits at commas that are not inside parentheses. */
function splitTop(text: string): string[] {
  return text.split(/,(?![^(]*\))/).map((part) => part.trim()).filter((part) => part !== '')
}

const keyPattern = String.raw`([A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?)`
const setForm = new RegExp(`^${keyPattern}\\s+(in|notin)\\s*\\(([^()]*)\\)$`)
const equalForm = new RegExp(`^${keyPattern}\\s*(!=|==|=)\\s*([-A-Za-z0-9_.]*)$`)
const existsForm = new RegExp(`^(!?)\\s*${keyPattern}$`)
const compareForm = new RegExp(`^${keyPattern}\\s*([<>])\\s*(-?[0-9]+)$`)

function parseRequirement(text: string): Requirement {
  const set = setForm.exec(text)
  if (set !== null) return expression(set[1] ?? '', set[3] === 'in' ? 'In' : 'NotIn', (set[4] ?? '').split(',').map((value) => value.trim()))
  const equality = equalForm.exec(text)
  if (equality !== null) return expression(equality[1] ?? '', equality[3] === '!=' ? 'NotIn' : 'In', [equality[4] ?? ''])
  const exists = existsForm.exec(text)
  if (exists !== null) return expression(exists[2] ?? '', exists[1] === '!' ? 'DoesNotExist' : 'Exists', [])
  const compare = compareForm.exec(text)
  if (compare !== null) return ordered(compare[1] ?? '', compare[3] === '<', Number(compare[4]))
  throw badRequest(`unable to parse requirement: invalid label selector "${text}"`)
}

function ordered(key: string, less: boolean, bound: number): Requirement {
  return (labels) => {
    const value = Number(labels[key] ?? 'x')
    return Number.isInteger(value) && (less ? value < bound : value > bound)
  }
}
