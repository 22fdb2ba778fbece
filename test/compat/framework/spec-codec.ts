// A second codec, written from the wire format alone, so that what it and ours agree on is no shared mistake. It knows no interface:
// a body is fields by tag, and what comes back is read by the types on the wire.

/** What a field holds, with its type where the wire needs one. Numbers are integers. */
export type Value = string | number | bigint | boolean | { readonly struct: Fields } | { readonly list: readonly Value[] } | { readonly map: readonly (readonly [Value, Value])[] } | { readonly bytes: Buffer }
export type Fields = Readonly<Record<number, Value>>

/** As it is read: structs by tag, lists, maps as pairs. */
export type Read = string | bigint | number | Buffer | { readonly [tag: number]: Read } | readonly Read[]

const head = (tag: number, type: number): Buffer => (tag < 15 ? Buffer.from([(tag << 4) | type]) : Buffer.from([0xf0 | type, tag]))

function integer(tag: number, value: bigint): Buffer {
  if (value === 0n) return head(tag, 12)
  for (const [type, size] of [[0, 1], [1, 2], [2, 4], [3, 8]] as const) {
    const limit = 1n << BigInt(size * 8 - 1)
    if (value < -limit || value >= limit) continue
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64BE(value)
    return Buffer.concat([head(tag, type), bytes.subarray(8 - size)])
  }
  throw new RangeError(String(value))
}

export function field(tag: number, value: Value): Buffer {
  if (typeof value === 'boolean') return integer(tag, value ? 1n : 0n)
  if (typeof value === 'number' || typeof value === 'bigint') return integer(tag, BigInt(value))
  if (typeof value === 'string') {
    const text = Buffer.from(value)
    const size = Buffer.alloc(4)
    size.writeUInt32BE(text.length)
    return text.length < 256 ? Buffer.concat([head(tag, 6), Buffer.from([text.length]), text]) : Buffer.concat([head(tag, 7), size, text])
  }
  if ('struct' in value) return Buffer.concat([head(tag, 10), body(value.struct), head(0, 11)])
  if ('list' in value) return Buffer.concat([head(tag, 9), integer(0, BigInt(value.list.length)), ...value.list.map((one) => field(0, one))])
  if ('map' in value) return Buffer.concat([head(tag, 8), integer(0, BigInt(value.map.length)), ...value.map.flatMap(([key, one]) => [field(0, key), field(1, one)])])
  return Buffer.concat([head(tag, 13), head(0, 0), integer(0, BigInt(value.bytes.length)), value.bytes])
}

/** Fields in order of their tags. */
export function body(fields: Fields): Buffer {
  return Buffer.concat(Object.keys(fields).map(Number).toSorted((a, b) => a - b).map((tag) => field(tag, fields[tag] as Value)))
}

class Cursor {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  take(size: number): Buffer {
    if (this.#at + size > this.#bytes.length) throw new RangeError('the data ends too soon')
    this.#at += size
    return this.#bytes.subarray(this.#at - size, this.#at)
  }

  head(): { readonly tag: number; readonly type: number } {
    const first = this.take(1)[0] as number
    return { tag: first >> 4 === 15 ? (this.take(1)[0] as number) : first >> 4, type: first & 15 }
  }

  /** The value of a head of this type. */
  value(type: number): Read {
    switch (type) {
      case 0: return BigInt(this.take(1).readInt8())
      case 1: return BigInt(this.take(2).readInt16BE())
      case 2: return BigInt(this.take(4).readInt32BE())
      case 3: return this.take(8).readBigInt64BE()
      case 4: return this.take(4).readFloatBE()
      case 5: return this.take(8).readDoubleBE()
      case 6: return this.take(this.take(1)[0] as number).toString()
      case 7: return this.take(this.take(4).readUInt32BE()).toString()
      case 8: return Array.from({ length: this.count() }, () => [this.next(), this.next()])
      case 9: return Array.from({ length: this.count() }, () => this.next())
      case 10: return this.fields(true)
      case 12: return 0n
      case 13: {
        this.head()
        return this.take(this.count())
      }
      default: throw new TypeError(`wire type ${type}`)
    }
  }

  next(): Read {
    return this.value(this.head().type)
  }

  count(): number {
    return Number(this.next())
  }

  fields(inStruct: boolean): { [tag: number]: Read } {
    const found: { [tag: number]: Read } = {}
    while (!this.atEnd) {
      const { tag, type } = this.head()
      if (type === 11) return found
      found[tag] = this.value(type)
    }
    if (inStruct) throw new RangeError('a struct does not end')
    return found
  }
}

export function readBody(bytes: Buffer): { readonly [tag: number]: Read } {
  return new Cursor(bytes).fields(false)
}

/** A request packet with its length before it (BaseF.tars, RequestPacket). */
export function requestPacket({ version, id, servant, func, sBuffer }: { readonly version: number; readonly id: number; readonly servant: string; readonly func: string; readonly sBuffer: Buffer }): Buffer {
  const none = { map: [] }
  const packet = body({ 1: version, 2: 0, 3: 0, 4: id, 5: servant, 6: func, 7: { bytes: sBuffer }, 8: 3000, 9: none, 10: none })
  const size = Buffer.alloc(4)
  size.writeUInt32BE(packet.length + 4)
  return Buffer.concat([size, packet])
}

/** Code and body of a response packet: a RequestPacket again for TUP, else a ResponsePacket. */
export function readResponse(packet: Buffer, version: number): { readonly ret: number; readonly sBuffer: Buffer } {
  const fields = readBody(packet)
  if (version !== 3) return { ret: Number(fields[5]), sBuffer: fields[6] as Buffer }
  const status = fields[10] as readonly (readonly [string, string])[]
  return { ret: Number(status.find(([key]) => key === 'STATUS_RESULT_CODE')?.[1] ?? 0), sBuffer: fields[7] as Buffer }
}
