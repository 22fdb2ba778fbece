import { fieldInvalid, fieldNotSupported, fieldRequired } from '../errors.ts'
import type { FieldError } from '../errors.ts'
import { equal, isObject } from '../json.ts'
import { hasFormat } from './formats.ts'
import { PatternCache } from './patterns.ts'
import { valueSchema } from './schema.ts'
import type { Schema } from './schema.ts'

/** Checks values against one schema, wording each broken rule as the real API server does. */
export class SchemaValidator {
  readonly #schema: Schema
  readonly #patterns = new PatternCache()

  constructor(schema: Schema) {
    this.#schema = schema
  }

  /** Errors with field paths such as `spec.tars.servants[0].port`. */
  validate(value: unknown): FieldError[] {
    return this.#check(value, this.#schema, '')
  }

  #check(value: unknown, schema: Schema, path: string): FieldError[] {
    if (value === null && schema.nullable === true) return []
    const typeError = wrongType(value, schema, path)
    if (typeError !== undefined) return [typeError]
    return [
      ...enumErrors(value, schema, path),
      ...(typeof value === 'string' ? this.#stringErrors(value, schema, path) : []),
      ...(typeof value === 'number' ? numberErrors(value, schema, path) : []),
      ...(Array.isArray(value) ? this.#listErrors(value, schema, path) : []),
      ...(isObject(value) ? this.#objectErrors(value, schema, path) : []),
      ...this.#combinationErrors(value, schema, path),
    ]
  }

  #stringErrors(value: string, schema: Schema, path: string): FieldError[] {
    const { maxLength, minLength, pattern, format } = schema
    const length = Array.from(value).length
    const body = `${path} in body`
    const errors: FieldError[] = []
    if (maxLength !== undefined && length > maxLength) errors.push({ field: path, reason: 'FieldValueTooLong', message: `Too long: may not be more than ${maxLength} bytes` })
    if (minLength !== undefined && length < minLength) errors.push(fieldInvalid(path, value, `${body} should be at least ${minLength} chars long`))
    if (pattern !== undefined && !this.#patterns.test(pattern, value)) errors.push(fieldInvalid(path, value, `${body} should match '${pattern}'`))
    if (format !== undefined && !hasFormat(value, format)) errors.push(fieldInvalid(path, value, `${body} must be of type ${format}: ${JSON.stringify(value)}`))
    return errors
  }

  #listErrors(list: readonly unknown[], schema: Schema, path: string): FieldError[] {
    const { minItems, maxItems, items } = schema
    const errors: FieldError[] = []
    if (maxItems !== undefined && list.length > maxItems) errors.push({ field: path, reason: 'FieldValueTooMany', message: `Too many: ${list.length}: must have at most ${maxItems} items` })
    if (minItems !== undefined && list.length < minItems) errors.push(fieldInvalid(path, list.length, `${path} in body should have at least ${minItems} items`))
    errors.push(...duplicateErrors(list, schema, path))
    return items === undefined ? errors : [...errors, ...list.flatMap((item, index) => this.#check(item, items, `${path}[${index}]`))]
  }

  #objectErrors(value: Record<string, unknown>, schema: Schema, path: string): FieldError[] {
    const below = (field: string) => (path === '' ? field : `${path}.${field}`)
    const missing = (schema.required ?? []).filter((field) => !Object.hasOwn(value, field) || value[field] === undefined)
    const errors: FieldError[] = missing.map((field) => fieldRequired(below(field)))
    const size = Object.keys(value).length
    if (schema.maxProperties !== undefined && size > schema.maxProperties) errors.push({ field: path, reason: 'FieldValueTooMany', message: `Too many: ${size}: must have at most ${schema.maxProperties} items` })
    if (schema.minProperties !== undefined && size < schema.minProperties) errors.push(fieldInvalid(path, size, `${path} in body should have at least ${schema.minProperties} properties`))
    const values = valueSchema(schema)
    for (const [field, child] of Object.entries(value)) {
      const known = schema.properties !== undefined && Object.hasOwn(schema.properties, field) ? schema.properties[field] : values
      if (known !== undefined && child !== undefined) errors.push(...this.#check(child, known, below(field)))
    }
    return errors
  }

  #combinationErrors(value: unknown, schema: Schema, path: string): FieldError[] {
    const check = (candidate: Schema) => this.#check(value, candidate, path)
    const errors = (schema.allOf ?? []).flatMap(check)
    // Kubernetes names the place in the text only.
    const must = (rule: string) => fieldInvalid('<nil>', '', `${JSON.stringify(path)} must ${rule}`)
    if (schema.anyOf !== undefined) {
      const failures = schema.anyOf.map(check)
      if (failures.every(({ length }) => length > 0)) errors.push(must('validate at least one schema (anyOf)'), ...closest(failures))
    }
    if (schema.oneOf !== undefined) {
      const failures = schema.oneOf.map(check)
      const valid = failures.filter(({ length }) => length === 0).length
      if (valid === 0) errors.push(must('validate one and only one schema (oneOf). Found none valid'), ...closest(failures))
      if (valid > 1) errors.push(must(`validate one and only one schema (oneOf). Found ${valid} valid alternatives`))
    }
    if (schema.not !== undefined && check(schema.not).length === 0) errors.push(must('not validate the schema (not)'))
    return errors
  }
}

/** What the alternative that fits best objects to. */
function closest(failures: readonly FieldError[][]): readonly FieldError[] {
  return failures.toSorted((a, b) => a.length - b.length)[0] ?? []
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'number') : typeof value
}

function wrongType(value: unknown, schema: Schema, path: string): FieldError | undefined {
  const actual = typeOf(value)
  if (schema['x-kubernetes-int-or-string'] === true) {
    return actual === 'integer' || actual === 'string' ? undefined : typeError(path, actual, 'integer,string')
  }
  const { type } = schema
  if (type === undefined || type === '' || type === actual || (type === 'number' && actual === 'integer')) return undefined
  return typeError(path, actual, type)
}

function typeError(path: string, actual: string, wanted: string): FieldError {
  return { field: path, reason: 'FieldValueTypeInvalid', message: `Invalid value: "${actual}": ${path} in body must be of type ${wanted}: "${actual}"` }
}

function enumErrors(value: unknown, schema: Schema, path: string): FieldError[] {
  return schema.enum === undefined || schema.enum.some((choice) => equal(choice, value)) ? [] : [fieldNotSupported(path, value, schema.enum)]
}

function numberErrors(value: number, schema: Schema, path: string): FieldError[] {
  const { minimum, maximum, multipleOf, exclusiveMinimum, exclusiveMaximum } = schema
  const body = `${path} in body should be`
  const errors: FieldError[] = []
  if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum)) errors.push(fieldInvalid(path, value, `${body} greater than ${exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`))
  if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum)) errors.push(fieldInvalid(path, value, `${body} less than ${exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`))
  if (multipleOf !== undefined && !Number.isInteger(value / multipleOf)) errors.push(fieldInvalid(path, value, `${body} a multiple of ${multipleOf}`))
  if (schema.format === 'int32' && (value < -(2 ** 31) || value >= 2 ** 31)) errors.push(fieldInvalid(path, value, `${body} a 32-bit integer`))
  return errors
}

function duplicateErrors(list: readonly unknown[], schema: Schema, path: string): FieldError[] {
  const kind = schema['x-kubernetes-list-type']
  if (kind !== 'set' && kind !== 'map') return []
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  const identity = (item: unknown) => JSON.stringify(kind === 'set' || !isObject(item) ? item : keys.map((key) => item[key] ?? null))
  const seen = new Set<string>()
  return list.flatMap((item, index) => {
    const id = identity(item)
    if (!seen.has(id)) {
      seen.add(id)
      return []
    }
    const shown = kind === 'set' || !isObject(item) ? item : Object.fromEntries(keys.map((key) => [key, item[key]]))
    return [{ field: `${path}[${index}]`, reason: 'FieldValueDuplicate' as const, message: `Duplicate value: ${JSON.stringify(shown)}` }]
  })
}
