import { KnownTexts } from '../codec/known-texts.ts'
import { Reader } from '../codec/reader.ts'
import { Writer } from '../codec/writer.ts'
import { noTexts, readTexts, writeTexts, type Texts } from './texts.ts'

const noNames = new KnownTexts([])

/** A request as it travels (RequestF.tars). A TUP response travels in the same layout. */
export interface RequestPacket {
  readonly version: number
  readonly packetType: number
  readonly messageType: number
  readonly requestId: number
  readonly servant: string
  readonly func: string
  /** Parameters, laid out as `version` says. */
  readonly body: Buffer
  /** How long the caller waits, milliseconds; 0 is not told. */
  readonly timeoutMs: number
  readonly context: Texts
  readonly status: Texts
}

/** One that was read. Its body can be let go when nobody needs it any more. */
export type ArrivedRequest = RequestPacket & { body: Buffer }

/** What a request needs besides its body; the rest has defaults. */
export interface RequestHead {
  readonly version: number
  readonly packetType?: number
  readonly messageType?: number
  readonly requestId: number
  readonly servant: string
  readonly func: string
  readonly timeoutMs?: number
  readonly context?: Texts
  readonly status?: Texts
}

/**
 * Appends one request with its length header.
 * @param body writes the parameters at the writer's place
 */
export function writeRequest(writer: Writer, head: RequestHead, body: (writer: Writer) => void): void {
  const start = writer.reserveInt32()
  writer.writeShort(1, head.version)
  writer.writeByte(2, head.packetType ?? 0)
  writer.writeInt(3, head.messageType ?? 0)
  writer.writeInt(4, head.requestId)
  writer.writeString(5, head.servant)
  writer.writeString(6, head.func)
  const mark = writer.beginBytes(7)
  body(writer)
  writer.endBytes(mark)
  writer.writeInt(8, head.timeoutMs ?? 0)
  writeTexts(writer, 9, head.context ?? noTexts)
  writeTexts(writer, 10, head.status ?? noTexts)
  writer.patchInt32(start, writer.length - start)
}

/** One request with its length header. */
export function encodeRequest(packet: RequestHead & { readonly body: Uint8Array }): Buffer {
  const writer = new Writer(packet.body.length + 256)
  writeRequest(writer, packet, (w) => w.writeRaw(packet.body))
  return writer.take(0)
}

/**
 * @param bytes one packet without its length header
 * @throws Failure `TARS_DECODE`
 */
export function decodeRequest(bytes: Buffer): RequestPacket {
  return readRequest(new Reader(bytes))
}

/**
 * Reads one request; its body shares memory with the reader's buffer.
 * @param names of servants and functions that are likely called
 */
export function readRequest(reader: Reader, names: KnownTexts = noNames): ArrivedRequest {
  return {
    version: reader.readShort(1),
    packetType: reader.readByte(2, 0),
    messageType: reader.readInt(3, 0),
    requestId: reader.readInt(4),
    servant: reader.readKnown(5, names),
    func: reader.readKnown(6, names),
    body: reader.readBytesView(7),
    timeoutMs: reader.readInt(8, 0),
    context: readTexts(reader, 9),
    status: readTexts(reader, 10),
  }
}
