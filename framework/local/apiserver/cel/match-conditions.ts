import type { Environment, ParseResult } from '@marcbachmann/cel-js'
import type { AdmissionRequest } from '#kube/admission.ts'
import type { Schema } from '../crd/schema.ts'
import { fieldDuplicate, fieldInvalid, fieldRequired } from '../errors.ts'
import type { FieldError } from '../errors.ts'
import { kubernetesEnvironment } from './environment.ts'
import { free, schemaType } from './schema-type.ts'
import type { SchemaType } from './schema-type.ts'

/** As in a webhook configuration (Kubernetes, "Dynamic Admission Control", matchConditions). */
export interface MatchCondition {
  readonly name: string
  readonly expression: string
}

const most = 64

const text: Schema = { type: 'string' }
const texts: Schema = { type: 'array', items: text }
const kind: Schema = { type: 'object', properties: { group: text, version: text, kind: text } }
const resource: Schema = { type: 'object', properties: { group: text, version: text, resource: text } }
const requestSchema: Schema = {
  type: 'object',
  properties: {
    kind, resource, subResource: text, requestKind: kind, requestResource: resource, requestSubResource: text, name: text, namespace: text, operation: text,
    userInfo: { type: 'object', properties: { username: text, uid: text, groups: texts, extra: { type: 'object', additionalProperties: texts } } },
    dryRun: { type: 'boolean' }, options: { nullable: true },
  },
}

/** Asks conditions of requests; keeps what it compiled. Known are `object`, `oldObject` and `request`. */
export class MatchConditions {
  readonly #env: Environment
  readonly #request: SchemaType
  readonly #compiled = new Map<string, ParseResult>()

  constructor() {
    this.#env = kubernetesEnvironment()
    const request = schemaType(this.#env, requestSchema, 'kubernetes.AdmissionRequest', (field) => field)
    if (request === undefined) throw new Error('the schema of admission requests is none')
    this.#request = request
    this.#env.registerVariable('object', 'dyn').registerVariable('oldObject', 'dyn').registerVariable('request', request.name)
  }

  /** Why conditions cannot be registered. @param field of the list */
  errors(conditions: readonly MatchCondition[], field: string): FieldError[] {
    const seen = new Set<string>()
    const many: FieldError[] = conditions.length > most ? [{ field, reason: 'FieldValueTooMany', message: `Too many: ${conditions.length}: must have at most ${most} items` }] : []
    return [...many, ...conditions.flatMap(({ name, expression }, index) => {
      const twice = seen.has(name)
      seen.add(name)
      const at = `${field}[${index}]`
      return [...this.#expressionErrors(expression, `${at}.expression`), ...((name ?? '') === '' ? [fieldRequired(`${at}.name`)] : twice ? [fieldDuplicate(`${at}.name`, name)] : [])]
    })]
  }

  #expressionErrors(expression: unknown, field: string): FieldError[] {
    if (typeof expression !== 'string' || expression.trim() === '') return [fieldRequired(field)]
    const { valid, type, error } = this.#env.check(expression)
    if (!valid) return [fieldInvalid(field, expression, `compilation failed: ${error?.message ?? ''}`)]
    return type === 'bool' || type === 'dyn' ? [] : [fieldInvalid(field, expression, 'must evaluate to bool')]
  }

  /**
   * True when all hold; false when one does not, whatever becomes of the others.
   * @throws Error of those that cannot be evaluated
   */
  hold(conditions: readonly MatchCondition[], request: AdmissionRequest): boolean {
    const variables = { object: free(request.object), oldObject: free(request.oldObject), request: this.#request.value(request) }
    const errors: string[] = []
    for (const { expression } of conditions) {
      try {
        if (this.#program(expression)({ ...variables }) === false) return false
      } catch (error) {
        errors.push(`expression '${expression}' resulted in error: ${String((error as Error).message).split('\n')[0] ?? ''}`)
      }
    }
    if (errors.length > 0) throw new Error(errors.length === 1 ? errors[0] : `[${errors.join(', ')}]`)
    return true
  }

  #program(expression: string): ParseResult {
    const known = this.#compiled.get(expression) ?? this.#env.parse(expression)
    this.#compiled.set(expression, known)
    return known
  }
}
