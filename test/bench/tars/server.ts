// Our echo server, as a process of its own: tells its port, then its CPU time whenever asked.
import { createServer } from '#tars/server.ts'
import { Echo, type EchoServant } from './Echo.ts'

const servant: EchoServant = { text: (value) => value, items: (list) => list }
const server = createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0', servants: { [process.argv[2] ?? '']: { interface: Echo, servant } } }] })
await server.start()
process.on('message', () => process.send?.(process.cpuUsage()))
process.on('disconnect', () => process.exit(0))
process.send?.(server.endpoints[0]?.port)
