import { badRequest, unsupportedMediaType } from '../../errors.ts'
import type { JsonObject } from '../../json.ts'
import { setOwn } from '../../json.ts'
import { timestamp } from '../../metadata.ts'
import { messages } from './messages.ts'
import type { FieldType, Message } from './messages.ts'
import { wireFields } from './wire.ts'
import type { WireField } from './wire.ts'

export const protobufType = 'application/vnd.kubernetes.protobuf'

/** Four bytes before every Kubernetes protobuf body (runtime.Unknown envelope). */
const magic = Buffer.from('k8s\0', 'latin1')

/**
 * A protobuf body as the same value in JSON. kubectl sends some built-in kinds so; the answer may be JSON.
 * @throws ApiError 400 when it is damaged, 415 for kinds whose messages are not known here
 */
export function decodeProtobuf(payload: Buffer): JsonObject {
  if (!payload.subarray(0, 4).equals(magic)) throw badRequest('the protobuf body does not start with the Kubernetes magic number')
  const envelope = wireFields(payload.subarray(4))
  const type = decodeMessage(bytesOf(envelope, 1), { 1: ['apiVersion', 'string'], 2: ['kind', 'string'] })
  const name = `${String(type['apiVersion'])}/${String(type['kind'])}`
  const fields = messages[type['kind'] === 'DeleteOptions' ? 'v1/DeleteOptions' : name]
  if (fields === undefined) throw unsupportedMediaType(`${protobufType} of ${name}`, ['application/json', 'application/yaml'])
  return { ...type, ...decodeMessage(bytesOf(envelope, 2), fields) }
}

function bytesOf(fields: readonly WireField[], number: number): Buffer {
  const found = fields.findLast((field) => field.number === number)?.value
  return Buffer.isBuffer(found) ? found : Buffer.alloc(0)
}

function decodeMessage(bytes: Buffer, fields: Message): JsonObject {
  const result: JsonObject = {}
  for (const { number, value } of wireFields(bytes)) {
    const field = fields[number]
    if (field !== undefined) addField(result, field, value)
  }
  return result
}

function addField(result: JsonObject, [name, type]: Message[number], value: bigint | Buffer): void {
  if (typeof type === 'object' && 'list' in type) {
    const list = (result[name] ?? []) as unknown[]
    list.push(scalar(type.list, value))
    result[name] = list
    return
  }
  if (typeof type === 'object' && 'map' in type) {
    const entry = wireFields(value as Buffer)
    const map = (result[name] ?? {}) as JsonObject
    setOwn(map, bytesOf(entry, 1).toString('utf8'), scalar(type.map, bytesOf(entry, 2)))
    result[name] = map
    return
  }
  const decoded = scalar(type, value)
  // Go writes its zero values out; in JSON they are left out.
  if (decoded !== '' && decoded !== undefined) result[name] = decoded
}

function scalar(type: FieldType, value: bigint | Buffer): unknown {
  if (typeof type === 'object') return 'message' in type && Buffer.isBuffer(value) ? decodeMessage(value, type.message) : undefined
  if (typeof value === 'bigint') return type === 'bool' ? value !== 0n : Number(BigInt.asIntN(64, value))
  if (type === 'string') return value.toString('utf8')
  if (type === 'bytes') return value.toString('base64')
  if (type === 'time') return timeOf(value)
  return type === 'intOrString' ? intOrString(value) : undefined
}

function timeOf(value: Buffer): string | undefined {
  const seconds = wireFields(value).find(({ number }) => number === 1)?.value
  return typeof seconds === 'bigint' ? timestamp(Number(seconds) * 1000) : undefined
}

function intOrString(value: Buffer): unknown {
  const fields = wireFields(value)
  const kind = fields.find(({ number }) => number === 1)?.value
  if (kind === 1n) return bytesOf(fields, 3).toString('utf8')
  const number = fields.find((field) => field.number === 2)?.value
  return typeof number === 'bigint' && number !== 0n ? Number(BigInt.asIntN(64, number)) : undefined
}
