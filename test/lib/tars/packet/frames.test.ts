import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameReader } from '#tars/packet.ts'

const framed = (body: Uint8Array): Buffer => {
  const bytes = Buffer.alloc(4 + body.length)
  bytes.writeUInt32BE(bytes.length)
  bytes.set(body, 4)
  return bytes
}

/** A copy in memory of its own, as chunks of a socket are. */
const chunkOf = (bytes: Uint8Array): Buffer => Buffer.from(new Uint8Array(bytes).buffer)

/** Feeds `stream` in pieces cut at `cuts`. */
function read(stream: Buffer, cuts: readonly number[], maxBytes = 1 << 20): { bodies: Buffer[]; frames: FrameReader } {
  const frames = new FrameReader(maxBytes)
  const bodies: Buffer[] = []
  const places = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b)
  for (const [index, place] of [0, ...places].entries()) {
    frames.feed(Buffer.from(stream.subarray(place, places[index] ?? stream.length)), (bytes, start, end) => bodies.push(Buffer.from(bytes.subarray(start, end))))
  }
  return { bodies, frames }
}

describe('FrameReader', () => {
  it('gives back every packet, however the stream is cut', () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 3000 }), { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 30 }), (bodies, cuts) => {
      const result = read(Buffer.concat(bodies.map(framed)), cuts)
      expect(result.bodies).toEqual(bodies.map((body) => Buffer.from(body)))
      expect(result.frames.partial).toBe(false)
      expect(result.frames.heldBytes).toBe(0)
    }), { numRuns: 500 })
  })

  it('never takes memory ahead of what arrived', () => {
    const frames = new FrameReader(10 << 20)
    const header = Buffer.alloc(4)
    header.writeUInt32BE(10 << 20)
    frames.feed(header, () => expect.unreachable())
    expect(frames.heldBytes).toBeLessThanOrEqual(1024)
    for (let arrived = 4; arrived < 100_000; arrived += 1000) {
      frames.feed(Buffer.alloc(1000), () => expect.unreachable())
      expect(frames.heldBytes).toBeLessThanOrEqual(2 * (arrived + 1000))
    }
  })

  it.each([0, 1, 3, 4, (1 << 20) + 1, 0x7fffffff, 0xffffffff])('refuses the length %i, at once and when it comes in pieces', (size) => {
    const header = Buffer.alloc(4)
    header.writeUInt32BE(size)
    expect(() => read(header, [])).toThrow(/claims/)
    expect(() => read(header, [1, 2, 3])).toThrow(/claims/)
    expect(() => read(Buffer.concat([framed(Buffer.from('ok')), header]), [])).toThrow(/claims/)
  })

  it('takes the largest packet allowed', () => {
    const body = Buffer.alloc((1 << 20) - 4, 7)
    expect(read(framed(body), [5, 70_000]).bodies).toEqual([body])
  })

  it('gives the memory of a large packet back when it is needed no more, and only then', () => {
    const body = Buffer.alloc(100_000, 7)
    const halves = (): Buffer[] => [framed(body).subarray(0, 60_000), framed(body).subarray(60_000)].map((half) => Buffer.from(half))
    for (const done of [true, false]) {
      const frames = new FrameReader(1 << 20)
      let packet: Buffer = Buffer.alloc(0)
      for (const half of halves()) frames.feed(half, (bytes) => ((packet = bytes), done))
      expect(packet.length).toBe(done ? 0 : 100_004)
    }
  })

  it.each([0, 6])('gives the memory of a chunk back when nobody needs a packet in it any more, and not before; %i bytes of the next are in it', (more) => {
    for (const done of [true, false]) {
      const next = framed(Buffer.from('next'))
      const chunk = chunkOf(Buffer.concat([framed(Buffer.alloc(12_000)), framed(Buffer.alloc(12_000)), next.subarray(0, more)]))
      const frames = new FrameReader(1 << 20)
      expect(frames.feed(chunk, () => done)).toBe(2)
      expect(chunk.length).toBe(done ? 0 : 24_008 + more)
      expect(frames.feed(next.subarray(more), (bytes, start, end) => expect(bytes.subarray(start, end).toString()).toBe('next'))).toBe(1)
    }
  })

  it('gives the memory of a chunk back that ends one large packet and begins another, once both are whole and nobody needs what is between them', () => {
    for (const done of [true, false]) {
      const stream = Buffer.concat([framed(Buffer.alloc(90_000, 'a')), framed(Buffer.from('between')), framed(Buffer.alloc(90_000, 'b'))])
      const chunks = [stream.subarray(0, 60_000), stream.subarray(60_000, 150_000), stream.subarray(150_000)].map(chunkOf)
      const frames = new FrameReader(1 << 20)
      const seen: Buffer[] = []
      for (const chunk of chunks) frames.feed(chunk, (bytes, start, end) => (seen.push(bytes.subarray(start, start + 7)), done || end - start !== 7))
      expect(chunks.map(({ length }) => length)).toEqual([0, done ? 0 : 90_000, 0])
      expect(seen.map(String)).toEqual(['', done ? '' : 'between', ''])
    }
  })

  it('leaves a chunk alone that has other packets, too', () => {
    const [large, small] = [framed(Buffer.alloc(100_000, 7)), framed(Buffer.from('kept'))]
    const frames = new FrameReader(1 << 20)
    const seen: Buffer[] = []
    for (const chunk of [large.subarray(0, 50_000), Buffer.concat([large.subarray(50_000), small])]) frames.feed(Buffer.from(chunk), (bytes, start, end) => (seen.push(bytes.subarray(start, end)), bytes.length > 100_000))
    expect(seen[1]?.toString()).toBe('kept')
  })

  it('hands on nothing after it was stopped, not even the rest of a chunk', () => {
    const frames = new FrameReader(1 << 20)
    const seen: number[] = []
    frames.feed(Buffer.concat([1, 2, 3].map((one) => framed(Buffer.from([one])))), (bytes, start) => {
      seen.push(bytes[start] as number)
      frames.stop()
    })
    expect(seen).toEqual([1])
  })
})
