'use strict'
// A service in JavaScript as Tars users write it; the node-agent that runs it sends the heartbeats.
const Tars = require('@tars/rpc')

const server = new Tars.server()
server.initialize(process.env.TARS_CONFIG, (self) => {
  self.addServant(class EchoServant { initialize() {} onDispatch() {} }, `${self.Application}.${self.ServerName}.EchoObj`)
})
server.start()
console.log('serving in JavaScript')
