import type { Environment, ParseResult } from '@marcbachmann/cel-js'
import { kubernetesEnvironment, mentions } from '../cel/environment.ts'
import type { CelValue } from '../cel/environment.ts'
import { rootSchema, schemaType } from '../cel/schema-type.ts'
import { fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../errors.ts'
import type { FieldError } from '../errors.ts'
import { equal, isObject } from '../json.ts'
import { valueSchema } from './schema.ts'
import type { Schema, ValidationRule } from './schema.ts'

// Validation rules of schemas (Kubernetes, "Extend the Kubernetes API with CustomResourceDefinitions", Validation rules).
// Costs are neither estimated nor limited here: the real API server does that when a CRD is made.

interface Rule {
  readonly source: ValidationRule
  readonly holds: ParseResult
  readonly message: ParseResult | undefined
  /** Compares with the value before: it is asked of updates only. */
  readonly isTransition: boolean
}

/** The rules of one place of a schema and of the places below it. */
interface Place {
  readonly type: string
  readonly rules: readonly Rule[]
  readonly toValue: (json: unknown) => CelValue
  readonly fields: ReadonlyMap<string, Place>
  readonly values: Place | undefined
  readonly items: Place | undefined
  /** Fields that tell the items of a list apart; undefined when an item has no value before. */
  readonly keys: readonly string[] | undefined
}

/** What there was before. */
interface Before {
  readonly value: unknown
  /** The value, or what it is in, has not changed: a rule that it breaks is then warned of only. */
  readonly unchanged: boolean
}

const reasons = ['FieldValueInvalid', 'FieldValueForbidden', 'FieldValueRequired', 'FieldValueDuplicate']

/** The rules of one version of a CRD. */
export class SchemaRules {
  readonly #root: Place | undefined
  /** Why rules are none, by their place in the schema; the others hold. */
  readonly errors: readonly FieldError[]

  /** @param path of the schema in its CRD, for errors */
  constructor(schema: Schema, path = '') {
    const errors: FieldError[] = []
    let known: Environment | undefined
    // Most schemas have no rules.
    const base = (): Environment => (known ??= kubernetesEnvironment()).clone()
    this.#root = compilePlace(schema, { path, base, errors, correlated: true, isRoot: true })
    this.errors = errors
  }

  get isEmpty(): boolean {
    return this.#root === undefined
  }

  /**
   * The rules that an object breaks; its schema must hold.
   * @param old the object before an update
   * @param warn is told of rules that what did not change breaks
   */
  check(object: unknown, old: unknown, warn: (text: string) => void): FieldError[] {
    const errors: FieldError[] = []
    if (this.#root !== undefined) checkPlace(this.#root, object, { path: '', before: { value: old, unchanged: false }, errors, warn })
    return errors
  }
}

interface Compiling {
  readonly path: string
  /** A new environment without variables. */
  readonly base: () => Environment
  readonly errors: FieldError[]
  /** Values of this place can be compared with those before. */
  readonly correlated: boolean
  readonly isRoot: boolean
}

function compilePlace(given: Schema, context: Compiling): Place | undefined {
  const schema = context.isRoot ? rootSchema(given) : given
  const { path, errors } = context
  const below = (next: Schema | undefined, name: string, correlated: boolean): Place | undefined =>
    next === undefined ? undefined : compilePlace(next, { ...context, path: `${path}.${name}`, correlated, isRoot: next['x-kubernetes-embedded-resource'] === true })
  const fields = new Map(Object.entries(given.properties ?? {}).flatMap(([name, next]): [string, Place][] => {
    const place = below(next, `properties[${name}]`, context.correlated)
    return place === undefined ? [] : [[name, place]]
  }))
  const keys = given['x-kubernetes-list-type'] === 'map' ? (given['x-kubernetes-list-map-keys'] ?? []) : undefined
  const items = below(given.items, 'items', context.correlated && keys !== undefined)
  const values = below(valueSchema(given), 'additionalProperties', context.correlated)
  const own = given['x-kubernetes-validations'] ?? []
  errors.push(...own.flatMap((rule, index) => formErrors(rule, `${path}.x-kubernetes-validations[${index}]`)))
  const compiled = own.length === 0 ? { rules: [], toValue: (json: unknown) => json } : compileRules(own, schema, context)
  if (compiled.rules.length === 0 && fields.size === 0 && items === undefined && values === undefined) return undefined
  return { type: schema.type ?? '', ...compiled, fields, values, items, keys }
}

function formErrors({ rule, message, reason, optionalOldSelf }: ValidationRule, path: string): FieldError[] {
  const lines = (text: string | undefined) => text?.trim().includes('\n') === true
  return [
    ...(typeof rule !== 'string' || rule.trim() === '' ? [fieldRequired(`${path}.rule`, 'rule is not specified')] : []),
    ...(message !== undefined && message !== '' && message.trim() === '' ? [fieldInvalid(`${path}.message`, message, 'must be non-empty if specified')] : []),
    ...(lines(message) ? [fieldInvalid(`${path}.message`, message, 'must not contain line breaks')] : []),
    ...(lines(rule) && (message ?? '').trim() === '' ? [fieldRequired(`${path}.message`, 'message must be specified if rule contains line breaks')] : []),
    ...(reason === undefined || reasons.includes(reason) ? [] : [fieldNotSupported(`${path}.reason`, reason, reasons)]),
    ...(optionalOldSelf === true ? [fieldForbidden(`${path}.optionalOldSelf`, 'is not evaluated by this API server')] : []),
  ]
}

function compileRules(sources: readonly ValidationRule[], schema: Schema, { path, base, errors, correlated }: Compiling): Pick<Place, 'rules' | 'toValue'> {
  const env = base()
  const type = schemaType(env, schema, 'Self')
  if (type === undefined) {
    errors.push(fieldForbidden(`${path}.x-kubernetes-validations`, 'the schema does not say enough for rules'))
    return { rules: [], toValue: (json) => json }
  }
  env.registerVariable('self', type.name).registerVariable('oldSelf', type.name)
  const rules = sources.flatMap((source, index): Rule[] => {
    const place = `${path}.x-kubernetes-validations[${index}]`
    const holds = compileExpression(env, source.rule, { wanted: 'bool', place: `${place}.rule`, errors })
    const text = (source.messageExpression ?? '').trim()
    const message = text === '' ? undefined : compileExpression(env, text, { wanted: 'string', place: `${place}.messageExpression`, errors })
    if (holds === undefined) return []
    const isTransition = mentions(holds.ast, 'oldSelf')
    if (isTransition && !correlated) errors.push(fieldInvalid(`${place}.rule`, source.rule, 'oldSelf cannot be used on the uncorrelatable portion of the schema'))
    return [{ source, holds, message, isTransition }]
  })
  return { rules, toValue: type.value }
}

interface Expected {
  readonly wanted: 'bool' | 'string'
  readonly place: string
  readonly errors: FieldError[]
}

/** @returns undefined when it is none, with the reason among the errors */
function compileExpression(env: Environment, text: unknown, { wanted, place, errors }: Expected): ParseResult | undefined {
  if (typeof text !== 'string' || text.trim() === '') return undefined
  const { valid, type, error } = env.check(text)
  if (valid && (type === wanted || type === 'dyn')) return env.parse(text)
  errors.push(fieldInvalid(place, text, valid ? `cel expression must evaluate to a ${wanted}` : `compilation failed: ${error?.message ?? ''}`))
  return undefined
}

interface Checking {
  readonly path: string
  readonly before: Before
  readonly errors: FieldError[]
  readonly warn: (text: string) => void
}

function checkPlace(place: Place, value: unknown, context: Checking): void {
  if (value === null || value === undefined) return
  const { path, before, errors, warn } = context
  const unchanged = before.value === undefined ? before.unchanged : equal(value, before.value)
  for (const { error, isTransition } of brokenRules(place, value, before.value, path)) {
    if (unchanged && !isTransition) warn(`${error.field}: ${error.message}`)
    else errors.push(error)
  }
  const below = (next: Place, child: unknown, old: unknown, name: string): void => checkPlace(next, child, { ...context, path: path === '' ? name.replace(/^\./, '') : `${path}${name}`, before: { value: old, unchanged } })
  if (Array.isArray(value) && place.items !== undefined) {
    const { items } = place
    value.forEach((item, index) => below(items, item, itemBefore(place.keys, item, before.value), `[${index}]`))
  }
  if (!isObject(value)) return
  for (const [field, child] of Object.entries(value)) {
    const next = place.fields.get(field) ?? place.values
    if (next !== undefined) below(next, child, isObject(before.value) && Object.hasOwn(before.value, field) ? before.value[field] : undefined, place.fields.has(field) ? `.${field}` : `[${field}]`)
  }
}

function itemBefore(keys: readonly string[] | undefined, item: unknown, list: unknown): unknown {
  if (keys === undefined || !Array.isArray(list) || !isObject(item)) return undefined
  return list.find((candidate) => isObject(candidate) && keys.every((key) => equal(candidate[key], item[key])))
}

function brokenRules({ rules, toValue, type }: Place, value: unknown, old: unknown, path: string): { readonly error: FieldError; readonly isTransition: boolean }[] {
  if (rules.length === 0) return []
  const variables = { self: toValue(value), ...(old === undefined || old === null ? {} : { oldSelf: toValue(old) }) }
  return rules.filter(({ isTransition }) => !isTransition || 'oldSelf' in variables).flatMap((rule) => {
    const error = judge(rule, variables, { path, type })
    return error === undefined ? [] : [{ error, isTransition: rule.isTransition }]
  })
}

function judge({ source, holds, message }: Rule, variables: object, { path, type }: { readonly path: string; readonly type: string }): FieldError | undefined {
  const place = path === '' ? '<nil>' : path
  const given = (source.message ?? '').trim()
  try {
    if (holds({ ...variables }) === true) return undefined
  } catch (error) {
    return fieldInvalid(place, type, `${plainText(error)} evaluating rule: ${given === '' ? source.rule.trim() : given}`)
  }
  const field = `${place}${source.fieldPath === undefined ? '' : `.${source.fieldPath.replace(/^\./, '')}`}`
  return refusal(source.reason, field, { type, text: computed(message, variables) ?? (given === '' ? `failed rule: ${source.rule.trim()}` : given) })
}

function computed(message: ParseResult | undefined, variables: object): string | undefined {
  try {
    const text: unknown = message?.({ ...variables })
    return typeof text === 'string' && text.trim() !== '' && !text.trim().includes('\n') ? text.trim() : undefined
  } catch {
    // The fixed message stands, as Kubernetes has it.
    return undefined
  }
}

function refusal(reason: string | undefined, field: string, { type, text }: { readonly type: string; readonly text: string }): FieldError {
  if (reason === 'FieldValueForbidden') return fieldForbidden(field, text)
  if (reason === 'FieldValueRequired') return fieldRequired(field, text)
  if (reason === 'FieldValueDuplicate') return { field, reason: 'FieldValueDuplicate', message: `Duplicate value: ${JSON.stringify(type)}` }
  return fieldInvalid(field, type, text)
}

/** An evaluation's error on one line, beginning as Kubernetes has it. */
function plainText(error: unknown): string {
  const [line = ''] = String((error as Error).message).split('\n')
  return `${line.slice(0, 1).toLowerCase()}${line.slice(1)}`
}
