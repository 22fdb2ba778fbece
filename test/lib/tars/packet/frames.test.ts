import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrameReader } from '#tars/packet.ts'

const framed = (body: Uint8Array): Buffer => {
  const bytes = Buffer.alloc(4 + body.length)
  bytes.writeUInt32BE(bytes.length)
  bytes.set(body, 4)
  return bytes
}

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

  it('gives the memory of a chunk back when none of its packets is needed any more and it holds no part of one', () => {
    const packet = framed(Buffer.alloc(9996, 7))
    const whole = Buffer.concat([packet, packet])
    const end = Buffer.concat([packet.subarray(100), packet])
    const cases: readonly (readonly [chunks: readonly Buffer[], done: readonly boolean[], left: number])[] = [
      [[whole], [true, true], 0],
      [[whole], [true, false], whole.length],
      [[packet.subarray(0, 100), end], [true, true], 0],
      // What began a packet was copied; as much as that of a large one is kept as it came.
      [[Buffer.concat([whole, packet.subarray(0, 100)])], [true, true], 0],
      [[Buffer.concat([packet, framed(Buffer.alloc(100_000)).subarray(0, 50_000)])], [true], 60_000],
    ]
    for (const [chunks, done, left] of cases) {
      // As sockets have them: each with memory of its own.
      const fed = chunks.map((chunk) => Buffer.allocUnsafeSlow(chunk.length).fill(chunk))
      const frames = new FrameReader(1 << 20)
      let count = 0
      for (const chunk of fed) frames.feed(chunk, () => done[count++])
      expect([count, fed.at(-1)?.length]).toEqual([done.length, left])
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
