// What a native executable is linked with, told by its dynamic section (System V ABI, "Dynamic Linking"). The file passes
// by once and the section comes late, so what it will point to is kept: the beginning of the first segment.

/** Of the beginning at most so much is kept, in which the names are, and at its front the program headers. Bytes. */
const [mostKept, mostHeaders] = [4 << 20, 1 << 20]
const [PT_LOAD, PT_DYNAMIC, PT_INTERP] = [1, 2, 3]
const [DT_NULL, DT_NEEDED, DT_STRTAB] = [0n, 1n, 5n]
const programHeaderBytes = 56
const dynamicEntryBytes = 16

interface Segment {
  readonly type: number
  readonly offset: number
  readonly address: number
  readonly bytes: number
}

/** Looks at the content of a file on its way. */
export class ElfLinks {
  readonly #pieces: Buffer[] = []
  #kept = 0
  #position = 0
  #segments: readonly Segment[] | undefined
  #dynamic: Buffer = Buffer.alloc(0)

  /** Takes the next piece of the file, of which only copies are kept. */
  see(piece: Buffer): void {
    const start = this.#position
    this.#position += piece.length
    if (this.#kept < mostKept) this.#keep(piece.subarray(0, mostKept - this.#kept))
    this.#segments ??= this.#kept > mostHeaders ? undefined : segmentsOf(Buffer.concat(this.#pieces))
    const dynamic = this.#segments?.find(({ type }) => type === PT_DYNAMIC)
    if (dynamic === undefined) return
    const [from, to] = [Math.max(0, dynamic.offset - start), Math.max(0, dynamic.offset + dynamic.bytes - start)]
    if (from < piece.length && to > 0) this.#dynamic = Buffer.concat([this.#dynamic, piece.subarray(from, to)])
  }

  /**
   * File names of the loader and of the libraries that the executable asks for, such as `libz.so.1`: none for a static one.
   * @returns undefined when this is no 64-bit little-endian ELF file, or its names are not where they are looked for
   */
  names(): readonly string[] | undefined {
    if (this.#segments === undefined) return undefined
    const entries = dynamicEntries(this.#dynamic)
    const table = entries.find(([tag]) => tag === DT_STRTAB)?.[1]
    const interpreter = this.#segments.find(({ type }) => type === PT_INTERP)
    const kept = Buffer.concat(this.#pieces)
    const loader = interpreter === undefined ? [] : [textAt(kept, interpreter.offset)]
    const base = table === undefined ? undefined : this.#offsetOf(Number(table))
    const needed = entries.filter(([tag]) => tag === DT_NEEDED).map(([, at]) => (base === undefined ? undefined : textAt(kept, base + Number(at))))
    const names = [...loader, ...needed]
    return names.includes(undefined) ? undefined : names.map((name) => name?.split('/').at(-1) ?? '')
  }

  #keep(piece: Buffer): void {
    this.#pieces.push(Buffer.from(piece))
    this.#kept += piece.length
  }

  /** Where in the file lies what is loaded to this address. */
  #offsetOf(address: number): number | undefined {
    const segment = this.#segments?.find((one) => one.type === PT_LOAD && address >= one.address && address < one.address + one.bytes)
    return segment && address - segment.address + segment.offset
  }
}

/** The program headers, when the file is a 64-bit little-endian one and its head holds them. */
function segmentsOf(head: Buffer): readonly Segment[] | undefined {
  if (head.length < 64 || head[4] !== 2 || head[5] !== 1) return undefined
  const [at, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)]
  if (size !== programHeaderBytes || at + count * size > head.length) return undefined
  return Array.from({ length: count }, (_, index) => {
    const header = head.subarray(at + index * size)
    const number = (field: number): number => Number(header.readBigUInt64LE(field))
    return { type: header.readUInt32LE(0), offset: number(8), address: number(16), bytes: number(32) }
  })
}

function dynamicEntries(section: Buffer): (readonly [tag: bigint, value: bigint])[] {
  const entries: (readonly [bigint, bigint])[] = []
  for (let at = 0; at + dynamicEntryBytes <= section.length; at += dynamicEntryBytes) {
    const tag = section.readBigUInt64LE(at)
    if (tag === DT_NULL) break
    entries.push([tag, section.readBigUInt64LE(at + 8)])
  }
  return entries
}

function textAt(bytes: Buffer, at: number): string | undefined {
  const end = bytes.indexOf(0, at)
  return at >= bytes.length || end < 0 ? undefined : bytes.toString('utf8', at, end)
}
