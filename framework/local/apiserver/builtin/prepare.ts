import type { AnyObject } from '#kube/types.ts'
import { prune } from '../crd/prune.ts'
import type { Schema } from '../crd/schema.ts'
import { SchemaValidator } from '../crd/validate.ts'
import { badRequest } from '../errors.ts'
import { isObject } from '../json.ts'

/**
 * Brings an object of a built-in kind into the shape that the real server would decode it to: nulls count as
 * absent, unknown fields go, and a value of the wrong type refuses the object.
 * @returns the paths of unknown fields
 */
export function builtinDecoder(schema: Schema): (object: AnyObject) => string[] {
  const validator = new SchemaValidator(schema)
  return (object) => {
    dropNulls(object)
    const unknown = prune(object, schema)
    const wrong = validator.validate(object)[0]
    if (wrong !== undefined) throw badRequest(`${object.kind} in version "${object.apiVersion}" cannot be handled as a ${object.kind}: ${wrong.message.replace(/^Invalid value: "[^"]*": /, '')}`)
    return unknown
  }
}

export function dropNulls(value: unknown): void {
  if (Array.isArray(value)) return value.forEach(dropNulls)
  if (!isObject(value)) return
  for (const [field, child] of Object.entries(value)) {
    if (child === null) delete value[field]
    else dropNulls(child)
  }
}
