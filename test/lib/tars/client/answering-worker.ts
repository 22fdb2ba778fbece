// In a thread of its own: a server that answers all it is asked, and says when an answer to something else than a ping is on its way.
import { parentPort, workerData } from 'node:worker_threads'
import { encodeResponse } from '#tars/packet.ts'
import { fakeServer } from './fake-server.ts'

const { answered } = workerData as { readonly answered: Int32Array }

const { port } = await fakeServer(({ requestId, func }, socket) => {
  socket.write(encodeResponse({ version: 1, requestId }), () => {
    if (func === 'tars_ping') return
    Atomics.store(answered, 0, 1)
    Atomics.notify(answered, 0)
  })
})
parentPort?.postMessage(port)
