import { decodeFailure, maxDepth, wire, wireNames } from './wire.ts'

/** Bytes of the wire types whose size is fixed. */
const fixedBytes: readonly (number | undefined)[] = [1, 2, 4, 8, 4, 8, undefined, undefined, undefined, undefined, undefined, undefined, 0, undefined]

/**
 * Passes over one field's value.
 * @param pos offset of the value, just after its head
 * @param type wire type; `structBegin` skips to behind the matching end
 * @returns offset of the next field
 * @throws Failure `TARS_DECODE` when the value leaves `end`, nests too deep or has an unknown type
 */
export function skipField(buf: Buffer, pos: number, end: number, type: number): number {
  const size = fixedBytes[type]
  if (size !== undefined && size <= end - pos) return pos + size
  return new Skipper(buf, pos, end).value(type, 0)
}

class Skipper {
  readonly #buf: Buffer
  #pos: number
  readonly #end: number

  constructor(buf: Buffer, pos: number, end: number) {
    this.#buf = buf
    this.#pos = pos
    this.#end = end
  }

  value(type: number, depth: number): number {
    const size = fixedBytes[type]
    if (size !== undefined) return this.#advance(size)
    if (type === wire.string1) return this.#advance(this.#byte())
    if (type === wire.string4) return this.#advance(this.#length4())
    if (type === wire.simpleList) return this.#simpleList()
    return this.#nested(type, depth)
  }

  #nested(type: number, depth: number): number {
    if (depth >= maxDepth) throw this.#failure(`fields nest deeper than ${maxDepth}`)
    if (type === wire.structBegin) return this.#struct(depth + 1)
    if (type === wire.list) return this.#fields(this.#count(), depth + 1)
    if (type === wire.map) return this.#fields(this.#count() * 2, depth + 1)
    throw this.#failure(type === wire.structEnd ? 'a struct ends that never began' : `unknown wire type ${type}`)
  }

  #struct(depth: number): number {
    for (;;) {
      const type = this.#head()
      if (type === wire.structEnd) return this.#pos
      this.value(type, depth)
    }
  }

  #fields(count: number, depth: number): number {
    for (let i = 0; i < count; i++) this.value(this.#head(), depth)
    return this.#pos
  }

  #simpleList(): number {
    const type = this.#head()
    if (type !== wire.int8) throw this.#failure(`a simple list of ${wireNames[type] ?? type}, not of bytes`)
    return this.#advance(this.#count())
  }

  // A length or count: an integer field. Each element takes a byte at least, so more than what remains is a lie.
  #count(): number {
    const type = this.#head()
    const size = type === wire.zero ? 0 : type <= wire.int32 ? 1 << type : -1
    if (size < 0) throw this.#failure('a length that is not an integer')
    const at = this.#pos
    this.#advance(size)
    const count = size === 0 ? 0 : this.#buf.readIntBE(at, size)
    if (count < 0 || count > this.#end - this.#pos) throw this.#failure(`a length of ${count}, ${this.#end - this.#pos} bytes remain`)
    return count
  }

  #head(): number {
    const first = this.#byte()
    if (first >= 0xf0) this.#byte()
    return first & 15
  }

  #byte(): number {
    const at = this.#pos
    this.#advance(1)
    return this.#buf[at] as number
  }

  #length4(): number {
    const at = this.#pos
    this.#advance(4)
    return this.#buf.readUInt32BE(at)
  }

  #advance(size: number): number {
    if (size > this.#end - this.#pos) throw this.#failure(`${size} bytes are announced, ${this.#end - this.#pos} remain`)
    this.#pos += size
    return this.#pos
  }

  #failure(what: string): Error {
    return decodeFailure(`${what} (in a field that is skipped)`, 0, this.#pos)
  }
}
