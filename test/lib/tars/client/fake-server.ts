// A server that answers bytes of the test's choice: for what a well-behaved server never does.
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { decodeRequest, FrameReader, type RequestPacket } from '#tars/packet.ts'

export interface FakeServer {
  readonly port: number
  readonly sockets: readonly Socket[]
  readonly requests: readonly RequestPacket[]
  close(): Promise<void>
}

/** @param answer gets each request and may write to the socket */
export async function fakeServer(answer: (request: RequestPacket, socket: Socket) => void): Promise<FakeServer> {
  const sockets: Socket[] = []
  const requests: RequestPacket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    const frames = new FrameReader(64 << 20)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => frames.feed(chunk, (bytes, start, end) => {
      const request = decodeRequest(Buffer.from(bytes.subarray(start, end)))
      requests.push(request)
      answer(request, socket)
    }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    requests,
    close: () => new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    }),
  }
}
