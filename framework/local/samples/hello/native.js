'use strict'
// NativeServer: the same servant packed with its runtime into one native executable (type nodejs-pkg).
// Such a service has no node-agent beside it: it takes --config=<file> and sends its own heartbeats.
const Tars = require('@tars/rpc')
const TarsStream = require('@tars/stream')
const createServant = require('./servant.js')

class ServerInfo {
  constructor(values) {
    Object.assign(this, values)
  }

  _writeTo(os) {
    os.writeString(0, this.application)
    os.writeString(1, this.serverName)
    os.writeInt32(2, this.pid)
    os.writeString(3, this.adapter)
  }
}
ServerInfo.prototype._classname = 'tars.ServerInfo'

class NodeProxy {
  keepAlive(info) {
    const os = new TarsStream.TarsOutputStream()
    os.writeStruct(1, info)
    return this._worker.tars_invoke('keepAlive', os.getBinBuffer())
  }
}

const configFile = process.argv.map((word) => /^--config=(.+)$/.exec(word)?.[1]).find((file) => file !== undefined)
if (configFile === undefined) {
  console.error('usage: NativeServer --config=<file>')
  process.exit(2)
}

Tars.client.initialize(configFile)
const server = new Tars.server()
server.initialize(configFile, (self) => {
  const name = `${self.Application}.${self.ServerName}`
  const noConfig = () => Promise.reject(new Error('NativeServer keeps no configuration'))
  self.addServant(createServant(name, noConfig), `${name}.HelloObj`)
})
server.start()

const node = Tars.client.stringToProxy(NodeProxy, server.configure.get('tars.application.server.node'))
const beat = () => {
  const info = new ServerInfo({ application: server.Application, serverName: server.ServerName, pid: process.pid, adapter: '' })
  node.keepAlive(info).catch((error) => console.error('keepAlive failed', error.response ?? error))
}
beat()
setInterval(beat, 10_000)
process.on('SIGTERM', () => process.exit(0))
console.log('NativeServer started')
