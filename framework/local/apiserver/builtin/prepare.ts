import type { AnyObject } from '#kube/types.ts'
import { prune } from '../crd/prune.ts'
import type { Schema } from '../crd/schema.ts'
import { SchemaValidator } from '../crd/validate.ts'
import { badRequest } from '../errors.ts'
import type { ApiError } from '../errors.ts'
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
    if (wrong !== undefined) throw undecodable(object, wrong.message.replace(/^Invalid value: "[^"]*": /, ''))
    const broken = Object.values(object[bytesOf[object.kind] ?? ''] ?? {}).map((text) => badByte(String(text))).find((index) => index !== undefined)
    if (broken !== undefined) throw undecodable(object, `illegal base64 data at input byte ${broken}`)
    return unknown
  }
}

/** Fields whose values are bytes, by kind: the published types call them strings. */
const bytesOf: Readonly<Record<string, string>> = { ConfigMap: 'binaryData', Secret: 'data' }

/** Where a text stops being base64 (RFC 4648, padded; line ends do not count), or undefined. */
function badByte(text: string): number | undefined {
  const stranger = text.search(/[^A-Za-z0-9+/=\r\n]/)
  if (stranger >= 0) return stranger
  const letters = text.replace(/[\r\n]/g, '')
  if (letters.length % 4 === 0 && /^[^=]*={0,2}$/.test(letters)) return undefined
  if (/=[^=]/.test(letters)) return text.indexOf('=')
  return letters.endsWith('=') ? text.length : text.length - (letters.length % 4)
}

function undecodable({ kind, apiVersion }: AnyObject, why: string): ApiError {
  return badRequest(`${kind} in version "${apiVersion}" cannot be handled as a ${kind}: ${why}`)
}

export function dropNulls(value: unknown): void {
  if (Array.isArray(value)) return value.forEach(dropNulls)
  if (!isObject(value)) return
  for (const [field, child] of Object.entries(value)) {
    if (child === null) delete value[field]
    else dropNulls(child)
  }
}
