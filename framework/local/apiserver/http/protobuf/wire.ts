import { badRequest } from '../../errors.ts'

// The protobuf wire format (protobuf.dev, "Encoding"), reading only.

export interface WireField {
  readonly number: number
  /** A varint as bigint, or the bytes of a length-delimited field. */
  readonly value: bigint | Buffer
}

/** Splits a message into its fields. @throws ApiError 400 when it is cut off or uses a wire type that Kubernetes does not */
export function wireFields(message: Buffer): WireField[] {
  const fields: WireField[] = []
  let position = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[position++]
      if (byte === undefined) break
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw badRequest('the protobuf body is damaged')
  }
  const bytes = (size: number): Buffer => {
    if (position + size > message.length) throw badRequest('the protobuf body is cut off')
    position += size
    return message.subarray(position - size, position)
  }
  while (position < message.length) {
    const key = Number(varint())
    const number = key >>> 3
    const type = key & 7
    if (type === 0) fields.push({ number, value: varint() })
    else if (type === 2) fields.push({ number, value: bytes(Number(varint())) })
    else if (type === 1) bytes(8)
    else if (type === 5) bytes(4)
    else throw badRequest(`the protobuf body has a field of wire type ${type}`)
  }
  return fields
}
