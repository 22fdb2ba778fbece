import { createRequire } from 'node:module'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse, noTexts, retName, TarsCallError } from '#tars/packet.ts'

const require = createRequire(import.meta.url)
const { tars: theirs } = require('@tars/rpc/core/rpc-tars/RequestF.js') // oxlint-disable-line
const Stream = require('@tars/stream') // oxlint-disable-line

const int32 = fc.integer({ min: -0x80000000, max: 0x7fffffff })
const texts = fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 4 }).map((entries) => new Map(entries))
/** Some beyond each width that a length can have. */
const bytes = fc.oneof(fc.uint8Array({ maxLength: 300 }).map((some) => Buffer.from(some)), fc.tuple(fc.nat(70_000), fc.nat(255)).map(([length, value]) => Buffer.alloc(length, value)))
const request = fc.record({
  version: fc.constantFrom(1, 3, 5), packetType: fc.constantFrom(0, 1), messageType: int32, requestId: int32,
  servant: fc.string(), func: fc.string({ unit: 'grapheme' }), timeoutMs: int32, context: texts, status: texts, body: bytes,
})
const response = fc.record({
  version: fc.constantFrom(1, 5), messageType: int32, requestId: int32, ret: int32,
  description: fc.string(), context: texts, status: texts, body: bytes,
})

const unframed = (bytes: Buffer): Buffer => {
  expect(bytes.readUInt32BE(0)).toBe(bytes.length)
  return bytes.subarray(4)
}

/** With ordinary maps, as toEqual compares classes too. */
const plain = <T extends { context: ReadonlyMap<string, string>; status: ReadonlyMap<string, string> }>(packet: T): T => ({ ...packet, context: new Map(packet.context), status: new Map(packet.status) })

describe('packets', () => {
  it('requests come back as they were', () => {
    fc.assert(fc.property(request, (packet) => { expect(plain(decodeRequest(unframed(encodeRequest(packet))))).toEqual(packet) }), { numRuns: 100 })
  })

  it('responses come back as they were', () => {
    fc.assert(fc.property(response, (packet) => { expect(plain(decodeResponse(unframed(encodeResponse(packet))))).toEqual({ ...packet, packetType: 0 }) }), { numRuns: 100 })
  })

  it('TUP responses have the layout of a request, with code and reason in the status', () => {
    const bytes = unframed(encodeResponse({ version: 3, requestId: 9, ret: -99, description: 'why', servant: 'A.B.C', func: 'f', status: new Map([['k', 'v']]) }))
    expect(decodeRequest(bytes)).toMatchObject({ version: 3, requestId: 9, servant: 'A.B.C', func: 'f', body: Buffer.from([0x08, 0x0c]), status: new Map([['k', 'v'], ['STATUS_RESULT_CODE', '-99'], ['STATUS_RESULT_DESC', 'why']]) })
    expect(decodeResponse(bytes)).toMatchObject({ version: 3, requestId: 9, ret: -99, description: 'why' })
  })

  it('a success carries no code, reason or empty maps that it need not', () => {
    expect(encodeResponse({ version: 1, requestId: 1, body: Buffer.from([5]) }).toString('hex')).toBe('00000012' + '1001' + '2c' + '3001' + '4c' + '5c' + '6d00' + '0001' + '05' + '780c')
  })

  it('are read by @tars/rpc, and its are read by us', () => {
    fc.assert(fc.property(request, (packet) => {
      const seen = theirs.RequestPacket._readFrom(new Stream.TarsInputStream(new Stream.BinBuffer(unframed(encodeRequest({ ...packet, context: noTexts, status: noTexts })))))
      expect([seen.iVersion, seen.iRequestId, seen.sServantName, seen.sFuncName, seen.iTimeout]).toEqual([packet.version, packet.requestId, packet.servant, packet.func, packet.timeoutMs])
      expect(plain(decodeRequest(seen.toBinBuffer().toNodeBuffer()))).toEqual({ ...packet, context: new Map(), status: new Map() })
    }), { numRuns: 100 })
  })

  it.each(['', '1001', '10012c3c46', 'ff', '6d0003', '10012c3c4001570fffffff'])('the bytes %s are refused', (hex) => {
    expect(() => decodeRequest(Buffer.from(hex, 'hex'))).toThrow(expect.objectContaining({ code: 'TARS_DECODE' }))
    expect(() => decodeResponse(Buffer.from(hex, 'hex'))).toThrow(expect.objectContaining({ code: 'TARS_DECODE' }))
  })

  it('mutated packets are decoded or refused, never worse', () => {
    const good = encodeRequest({ version: 1, requestId: 77, servant: 'App.Server.Obj', func: 'f', context: new Map([['a', 'b']]), body: Buffer.alloc(40, 1) }).subarray(4)
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), (changes) => {
      const bytes = Buffer.from(good)
      for (const [at, value] of changes) bytes[at] = value
      for (const decode of [decodeRequest, decodeResponse]) {
        try {
          decode(bytes)
        } catch (error) {
          expect(error).toMatchObject({ code: 'TARS_DECODE' })
        }
      }
    }), { numRuns: 20_000 })
  })

  it('the shared empty map cannot be changed', () => {
    expect(() => (noTexts as Map<string, string>).set('a', 'b')).toThrow(TypeError)
  })

  it('call errors say whether trying again may help', () => {
    expect(new TarsCallError(-9, 'full')).toMatchObject({ code: 'TARS_CALL_REFUSED', ret: -9, temporary: true })
    expect(new TarsCallError(7, 'no').temporary).toBe(false)
    expect([retName(-3), retName(42)]).toEqual(['noFunction', '42'])
  })
})
