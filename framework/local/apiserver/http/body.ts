import type { IncomingMessage } from 'node:http'
import { parse as parseYaml } from 'yaml'
import type { AnyObject } from '#kube/types.ts'
import { badRequest, tooLarge, unsupportedMediaType } from '../errors.ts'
import { isObject } from '../json.ts'
import { decodeProtobuf, protobufType } from './protobuf/decode.ts'

/** As the real server: 3 MiB. */
const maxBodyBytes = 3 * 1024 * 1024

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > maxBodyBytes) throw tooLarge(maxBodyBytes)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

const yamlTypes = ['application/yaml', 'application/apply-patch+yaml']

/** The body as a value: JSON, or YAML where the media type says so. */
export function parseBody(payload: Buffer, contentType: string): unknown {
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  if (yamlTypes.includes(type)) return decode(() => parseYaml(payload.toString('utf8')), 'YAML')
  if (type === '' || type === '*/*' || type.endsWith('json')) return decode(() => JSON.parse(payload.toString('utf8')) as unknown, 'JSON')
  if (type === protobufType) return decodeProtobuf(payload)
  throw unsupportedMediaType(type, ['application/json', 'application/yaml'])
}

function decode(read: () => unknown, language: string): unknown {
  try {
    return read()
  } catch (error) {
    throw badRequest(`the body of the request is not ${language}: ${(error as Error).message}`)
  }
}

/** The body as an object with metadata. */
export function parseObject(payload: Buffer, contentType: string): AnyObject {
  const value = parseBody(payload, contentType)
  if (!isObject(value)) throw badRequest('the body of the request must be an object')
  if (value['metadata'] !== undefined && value['metadata'] !== null && !isObject(value['metadata'])) throw badRequest('metadata must be an object')
  value['metadata'] ??= {}
  return value as unknown as AnyObject
}
