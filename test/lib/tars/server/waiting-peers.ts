// In a thread of its own: connects once for each request and sends it, then says so, whether anybody has accepted or not.
import { connect } from 'node:net'
import { workerData } from 'node:worker_threads'

const { port, requests, connected } = workerData as { readonly port: number; readonly requests: readonly Uint8Array[]; readonly connected: Int32Array }

await Promise.all(requests.map((request) => new Promise<void>((resolve, reject) => {
  const socket = connect({ host: '127.0.0.1', port }, () => socket.write(request, () => resolve()))
  socket.once('error', reject)
})))
Atomics.store(connected, 0, 1)
Atomics.notify(connected, 0)
