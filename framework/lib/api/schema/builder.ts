// A schema as a value: it gives the CRD's OpenAPI text (Kubernetes "structural schema") and, through Infer, the TypeScript type.

/** The part of JSONSchemaProps (apiextensions.k8s.io/v1) that is used here. */
export interface JsonSchema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  description?: string
  format?: string
  pattern?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  minItems?: number
  maxItems?: number
  enum?: unknown[]
  default?: unknown
  items?: JsonSchema
  properties?: Record<string, JsonSchema>
  additionalProperties?: JsonSchema
  required?: string[]
  oneOf?: JsonSchema[]
  'x-kubernetes-int-or-string'?: true
  'x-kubernetes-preserve-unknown-fields'?: true
  'x-kubernetes-validations'?: ValidationRule[]
}

/** A rule in the Common Expression Language. Its message is fixed, on one line: computed ones are known from Kubernetes 1.27 on only. */
export interface ValidationRule {
  readonly rule: string
  readonly message: string
}

/** `T` is the value's type once the API server has filled in defaults. */
export interface Schema<T> {
  readonly json: JsonSchema
  /** Never set: it exists for type inference. */
  readonly value?: T
}

/** A property that may be absent even after defaulting. */
export interface Optional<T> extends Schema<T> {
  readonly optional: true
}

export type Shape = Readonly<Record<string, Schema<unknown>>>

export type Infer<S> = S extends Schema<infer T> ? T : never

type OptionalKeys<P> = { [K in keyof P]: P[K] extends Optional<unknown> ? K : never }[keyof P]
type Flat<T> = { [K in keyof T]: T[K] }

/** The object type of a shape. */
export type InferShape<P> = Flat<
  { readonly [K in Exclude<keyof P, OptionalKeys<P>>]: Infer<P[K]> } & { readonly [K in OptionalKeys<P>]?: Infer<P[K]> }
>

const isOptional = (schema: Schema<unknown>): boolean => (schema as Optional<unknown>).optional === true

export interface StringRules {
  readonly pattern?: string
  readonly minLength?: number
  readonly maxLength?: number
  readonly default?: string
}

/** @param rules lengths in characters */
export function string(description: string, rules: StringRules = {}): Schema<string> {
  return { json: { type: 'string', description, ...rules } }
}

/** RFC 3339 time. */
export function dateTime(description: string): Schema<string> {
  return { json: { type: 'string', format: 'date-time', description } }
}

/** One of `values`. @param standard default */
export function choice<const T extends string>(description: string, values: readonly T[], standard?: NoInfer<T>): Schema<T> {
  return { json: { type: 'string', description, enum: [...values], ...(standard === undefined ? {} : { default: standard }) } }
}

export interface IntegerRules {
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: number
}

/** A whole number; the description names its unit. */
export function integer(description: string, rules: IntegerRules = {}): Schema<number> {
  return { json: { type: 'integer', description, ...rules } }
}

/** @param standard default */
export function boolean(description: string, standard?: boolean): Schema<boolean> {
  return { json: { type: 'boolean', description, ...(standard === undefined ? {} : { default: standard }) } }
}

/** A number or its text, such as a Kubernetes quantity. */
export function intOrString(description: string, rules: { readonly pattern?: string; readonly default?: number | string } = {}): Schema<number | string> {
  return { json: { description, 'x-kubernetes-int-or-string': true, ...rules } }
}

export interface ArrayRules<T> {
  readonly minItems?: number
  readonly maxItems?: number
  readonly default?: readonly T[]
}

/** A list; lengths in items. */
export function array<T>(description: string, items: Schema<T>, rules: ArrayRules<NoInfer<T>> = {}): Schema<readonly T[]> {
  const { default: standard, ...limits } = rules
  return { json: { type: 'array', description, items: items.json, ...limits, ...(standard === undefined ? {} : { default: [...standard] }) } }
}

/** An object with keys of any name. @param standard default */
export function map<T>(description: string, values: Schema<T>, standard?: Readonly<Record<string, NoInfer<T>>>): Schema<Readonly<Record<string, T>>> {
  return { json: { type: 'object', description, additionalProperties: values.json, ...(standard === undefined ? {} : { default: standard }) } }
}

export interface ObjectRules {
  readonly default?: Readonly<Record<string, unknown>>
  /** Alternatives: each a list of properties that go together; exactly one must be present whole. */
  readonly oneOf?: readonly (readonly string[])[]
}

/** Required are the properties that are neither optional nor have a default. */
export function object<const P extends Shape>(description: string, shape: P, rules: ObjectRules = {}): Schema<InferShape<P>> {
  const required = Object.entries(shape).filter(([, schema]) => !isOptional(schema) && schema.json.default === undefined).map(([name]) => name)
  const properties = Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, schema.json]))
  return {
    json: {
      type: 'object', description, properties,
      ...(required.length === 0 ? {} : { required }),
      ...(rules.oneOf === undefined ? {} : { oneOf: rules.oneOf.map((group) => ({ required: [...group] })) }),
      ...(rules.default === undefined ? {} : { default: rules.default }),
    },
  }
}

/** Marks a property as one that may be absent. */
export function optional<T>(schema: Schema<T>): Optional<T> {
  return { ...schema, optional: true }
}

/** Any object: its fields are kept and not judged here. */
export function anyObject(description: string): Schema<Readonly<Record<string, unknown>>> {
  return { json: { type: 'object', description, 'x-kubernetes-preserve-unknown-fields': true } }
}

/** An object of which some fields are known here; the others are kept and not judged. */
export function openObject<const P extends Shape>(description: string, shape: P): Schema<InferShape<P> & Readonly<Record<string, unknown>>> {
  return { json: { ...object(description, shape).json, 'x-kubernetes-preserve-unknown-fields': true } }
}
