// findObjectByIdInSameGroup on @tars/rpc, as a service of Tars.js would have it: endpoints in a map, the answer written from structs as tars2node lays it out.
'use strict'
const net = require('node:net')
const { once } = require('node:events')
const Stream = require('@tars/stream')
const rpc = require('@tars/rpc')
const { tars } = require('@tars/registry/EndpointFTars.js')

const objects = new Map()

class QueryFImp {
  initialize() {}
  onDispatch(current, func, buffer) {
    if (func !== 'findObjectByIdInSameGroup') return rpc.error.SERVER.FUNC_NOT_FOUND
    const is = new Stream.TarsInputStream(buffer)
    const id = is.readString(1, true)
    current.sendResponse = function (_ret, activeEp, inactiveEp) {
      const os = new Stream.TarsOutputStream()
      os.writeInt32(0, _ret)
      os.writeList(2, activeEp)
      os.writeList(3, inactiveEp)
      current.doResponse(os.getBinBuffer())
    }
    this.findObjectByIdInSameGroup(current, id)
    return rpc.error.SUCCESS
  }
  findObjectByIdInSameGroup(current, id) {
    const { active, inactive } = objects.get(id)
    current.sendResponse(0, active, inactive)
  }
}

function listOf(endpoints) {
  const list = new Stream.List(tars.EndpointF)
  for (const fields of endpoints) list.push(Object.assign(new tars.EndpointF(), fields))
  return list
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function listens(port) {
  for (;;) {
    const socket = net.connect(port, '127.0.0.1')
    const open = await once(socket, 'connect').then(() => true, () => false)
    socket.destroy()
    if (open) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

process.once('message', async ({ object, servants }) => {
  for (const [id, endpoints] of servants) objects.set(id, { active: listOf(endpoints), inactive: listOf([]) })
  const port = await freePort()
  rpc.server.createServer(QueryFImp).start({ endpoint: `tcp -h 127.0.0.1 -p ${port} -t 600000`, servant: object, protocol: 'tars' })
  await listens(port)
  process.send({ port, version: require('@tars/rpc/package.json').version })
})
process.on('disconnect', () => process.exit(0))
