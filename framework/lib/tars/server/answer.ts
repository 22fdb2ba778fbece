import { Failure } from '#base/errors.ts'
import { packetType, ret, writeResponse, type RequestPacket, type ResponseHead } from '../packet.ts'
import type { Writer } from '../codec/writer.ts'
import type { Channel } from './channel.ts'

/** What a response says besides what its request determines. */
type ResponseRest = Pick<ResponseHead, 'ret' | 'description' | 'context' | 'status'>

/** Puts one response into the channel. Returns its bytes: 0 when the caller is gone or wanted none. */
export function answer(channel: Channel, packet: RequestPacket, rest: ResponseRest, body?: (writer: Writer) => void): number {
  if (packet.packetType === packetType.oneWay) return 0
  const writer = channel.open()
  if (writer === undefined) return 0
  const start = writer.length
  const { version, requestId, messageType, servant, func } = packet
  try {
    const { ret: code, description, context, status } = rest
    writeResponse(writer, { version, requestId, messageType, servant, func, ret: code, description, context, status }, body)
    if (writer.length - start > channel.maxBytes) throw tooLarge(writer.length - start, channel.maxBytes)
  } catch (error) {
    writer.rewind(start)
    channel.commit()
    throw error
  }
  channel.commit()
  return writer.length - start
}

const tooLarge = (bytes: number, limit: number): Failure => new Failure('TARS_PACKET_LENGTH', `the response has ${bytes} bytes; at most ${limit} can be sent`, { remedy: 'answer in parts, or raise maxPacketBytes' })

/** Answers `code` with its reason. */
export function refuse(channel: Channel, packet: RequestPacket, code: number, why: string): number {
  return answer(channel, packet, code === ret.success ? {} : { ret: code, description: why })
}
