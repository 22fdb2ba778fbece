// A peer that speaks bytes, not the protocol: for tests of what a well-behaved client never does.
import { connect, type Socket } from 'node:net'
import { Writer } from '#tars/codec/writer.ts'
import { decodeResponse, encodeRequest, FrameReader, version, type RequestHead, type ResponsePacket } from '#tars/packet.ts'
import { Echo, objectName } from './echo.ts'

export interface RawPeer {
  readonly socket: Socket
  readonly responses: readonly ResponsePacket[]
  readonly closed: Promise<void>
  write(bytes: Uint8Array): Promise<void>
  /** Resolves once that many responses have come in all; rejects when the connection closes before. */
  until(count: number): Promise<readonly ResponsePacket[]>
  destroy(): void
}

/** @param port of 127.0.0.1 */
export async function rawPeer(port: number, read = true, localAddress = '127.0.0.1'): Promise<RawPeer> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, localAddress })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  socket.on('error', () => {})
  const responses: ResponsePacket[] = []
  let changed = (): void => {}
  const frames = new FrameReader(64 << 20)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  let over = false
  void closed.then(() => { over = true; changed() })
  if (read) {
    socket.on('data', (chunk: Buffer) => {
      frames.feed(chunk, (bytes, start, end) => responses.push(decodeResponse(Buffer.from(bytes.subarray(start, end)))))
      changed()
    })
    socket.on('end', () => socket.end())
  }
  return {
    socket,
    responses,
    closed,
    write: (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve())),
    until: (count) => new Promise((resolve, reject) => {
      changed = () => {
        if (responses.length >= count) resolve(responses)
        else if (over) reject(new Error(`the connection closed after ${responses.length} of ${count} responses`))
      }
      changed()
    }),
    destroy: () => socket.destroy(),
  }
}

/** A request packet with its header, for a function of the echo interface. */
export function echoRequest(requestId: number, func: string, args: readonly unknown[], head: Partial<RequestHead> = {}): Buffer {
  const body = new Writer()
  Echo.functions[func]?.writeArgs(body, args)
  return encodeRequest({ version: version.tars, requestId, servant: objectName, func, ...head, body: body.bytes() })
}
