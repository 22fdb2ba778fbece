// A service that answers each Tars request after a while and knows nothing of leave-taking, as the servers of @tars/rpc.
import { createServer, type AddressInfo } from 'node:net'
import { decodeRequest, encodeResponse, FrameReader } from '#tars/packet.ts'

const server = createServer((socket) => {
  const frames = new FrameReader(1 << 20)
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => frames.feed(chunk, (bytes, start, end) => {
    const { requestId } = decodeRequest(Buffer.from(bytes.subarray(start, end)))
    setTimeout(() => socket.write(encodeResponse({ version: 1, requestId })), 5)
  }))
})
server.listen(0, '127.0.0.1', () => process.send?.({ cmd: 'port', data: (server.address() as AddressInfo).port }))
