import type { AnyObject } from '#kube/types.ts'
import { prune } from '../crd/prune.ts'
import { SchemaValidator } from '../crd/validate.ts'
import { badRequest } from '../errors.ts'
import { dropNulls } from './prepare.ts'
import { BuiltinSchemas } from './schema.ts'

/** Brings an object's metadata into shape, in place. @throws ApiError 400 when a field of it has the wrong type */
export type MetadataDecoder = (object: AnyObject) => void

export function metadataDecoder(): MetadataDecoder {
  const schema = new BuiltinSchemas().metadata
  const validator = new SchemaValidator(schema)
  return (object) => {
    dropNulls(object.metadata)
    prune(object.metadata, schema)
    const wrong = validator.validate(object.metadata)[0]
    if (wrong !== undefined) throw badRequest(`${object.kind} cannot be handled: metadata.${wrong.field}: ${wrong.message}`)
  }
}
