import { Reader } from '../codec/reader.ts'
import { Writer } from '../codec/writer.ts'
import { hasTupLayout } from './codes.ts'
import { emptyBody } from './empty.ts'
import { readRequest } from './request.ts'
import { noTexts, readTexts, writeTexts, type Texts } from './texts.ts'

/** A response as it travels (RequestF.tars), whatever its layout. */
export interface ResponsePacket {
  readonly version: number
  readonly packetType: number
  readonly requestId: number
  readonly messageType: number
  readonly ret: number
  /** Result and out parameters, laid out as `version` says. */
  readonly body: Buffer
  readonly status: Texts
  /** Why `ret` is not 0. */
  readonly description: string
  readonly context: Texts
}

/** What a response needs besides its body; the rest has defaults. */
export interface ResponseHead {
  readonly version: number
  readonly requestId: number
  readonly messageType?: number | undefined
  readonly ret?: number | undefined
  readonly description?: string | undefined
  /** Of the request: a TUP response repeats them. */
  readonly servant?: string | undefined
  readonly func?: string | undefined
  readonly status?: Texts | undefined
  readonly context?: Texts | undefined
}

const resultCode = 'STATUS_RESULT_CODE'
const resultDescription = 'STATUS_RESULT_DESC'

/**
 * Appends one response with its length header. Versions 1 and 5 have the layout ResponsePacket; version 3 has that of
 * RequestPacket, with code and description in its status map, as native servers send it and native clients expect it.
 * @param body writes the result at the writer's place; absent for a response without one
 */
export function writeResponse(writer: Writer, head: ResponseHead, body?: (writer: Writer) => void): void {
  const start = writer.reserveInt32()
  if (hasTupLayout(head.version)) writeTupFields(writer, head, body)
  else writeTarsFields(writer, head, body)
  writer.patchInt32(start, writer.length - start)
}

function writeTarsFields(writer: Writer, head: ResponseHead, body?: (writer: Writer) => void): void {
  writer.writeShort(1, head.version)
  writer.writeByte(2, 0)
  writer.writeInt(3, head.requestId)
  writer.writeInt(4, head.messageType ?? 0)
  writer.writeInt(5, head.ret ?? 0)
  const mark = writer.beginBytes(6)
  writeBody(writer, head, body)
  writer.endBytes(mark)
  writeTexts(writer, 7, head.status ?? noTexts)
  if (head.description !== undefined && head.description !== '') writer.writeString(8, head.description)
  if (head.context !== undefined && head.context.size > 0) writeTexts(writer, 9, head.context)
}

function writeTupFields(writer: Writer, head: ResponseHead, body?: (writer: Writer) => void): void {
  writer.writeShort(1, head.version)
  writer.writeByte(2, 0)
  writer.writeInt(3, head.messageType ?? 0)
  writer.writeInt(4, head.requestId)
  writer.writeString(5, head.servant ?? '')
  writer.writeString(6, head.func ?? '')
  const mark = writer.beginBytes(7)
  writeBody(writer, head, body)
  writer.endBytes(mark)
  writer.writeInt(8, 0)
  writeTexts(writer, 9, head.context ?? noTexts)
  writeTexts(writer, 10, tupStatus(head))
}

function writeBody(writer: Writer, head: ResponseHead, body?: (writer: Writer) => void): void {
  if (body === undefined) writer.writeRaw(emptyBody(head.version))
  else body(writer)
}

function tupStatus(head: ResponseHead): Texts {
  const { status = noTexts, ret = 0, description = '' } = head
  if (ret === 0 && description === '') return status
  const all = new Map(status)
  if (ret !== 0) all.set(resultCode, String(ret))
  if (description !== '') all.set(resultDescription, description)
  return all
}

/** One response with its length header. */
export function encodeResponse(packet: ResponseHead & { readonly body?: Uint8Array }): Buffer {
  const { body } = packet
  const writer = new Writer((body?.length ?? 0) + 128)
  writeResponse(writer, packet, body === undefined ? undefined : (w) => w.writeRaw(body))
  return writer.take(0)
}

/**
 * @param bytes one packet without its length header
 * @throws Failure `TARS_DECODE`
 */
export function decodeResponse(bytes: Buffer): ResponsePacket {
  return readResponse(new Reader(bytes), bytes, 0, bytes.length)
}

/** Reads one response of either layout from the bytes `start` to `end`; its body shares memory with them. */
export function readResponse(reader: Reader, bytes: Buffer, start: number, end: number): ResponsePacket {
  const iVersion = reader.reset(bytes, start, end).readShort(1)
  return hasTupLayout(iVersion) ? readTupFields(reader.reset(bytes, start, end)) : readTarsFields(reader, iVersion)
}

function readTarsFields(reader: Reader, iVersion: number): ResponsePacket {
  return {
    version: iVersion,
    packetType: reader.readByte(2, 0),
    requestId: reader.readInt(3),
    messageType: reader.readInt(4, 0),
    ret: reader.readInt(5, 0),
    body: reader.readBytesView(6),
    status: readTexts(reader, 7),
    description: reader.readString(8),
    context: readTexts(reader, 9),
  }
}

function readTupFields(reader: Reader): ResponsePacket {
  const { requestId, messageType, packetType, body, context, status, version: iVersion } = readRequest(reader)
  const code = Number(status.get(resultCode) ?? 0)
  return { version: iVersion, packetType, requestId, messageType, ret: Number.isInteger(code) ? code : -99, body, status, description: status.get(resultDescription) ?? '', context }
}
