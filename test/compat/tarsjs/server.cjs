// An echo server of @tars/rpc on the port given, as a process of its own: it says "listening", and its CPU time when asked.
'use strict'
const net = require('node:net')
const { EchoImp, rpc } = require('./sample.cjs')

const [endpoint, servant] = process.argv.slice(2)
rpc.server.createServer(EchoImp).start({ endpoint, servant, protocol: 'tars' })
const port = Number(/-p (\d+)/.exec(endpoint)[1])
const udp = endpoint.startsWith('udp')

function probe() {
  const socket = net.connect(port, /-h (\S+)/.exec(endpoint)[1])
  socket.on('connect', () => { socket.destroy(); process.send('listening') })
  socket.on('error', () => setTimeout(probe, 20))
}
if (udp) setTimeout(() => process.send('listening'), 200)
else probe()
process.on('message', () => process.send(process.cpuUsage()))
process.on('disconnect', () => process.exit(0))
