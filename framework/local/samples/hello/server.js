'use strict'
// HelloServer: a Node service as Tars users write it. node-agent starts it and names the configuration in TARS_CONFIG.
const Tars = require('@tars/rpc')
const TarsConfig = require('@tars/config')
const notify = require('@tars/notify')
const createServant = require('./servant.js')

const config = new TarsConfig(process.env.TARS_CONFIG)
const loadConfig = (file) => config.loadConfig(file, { format: config.FORMAT.TEXT })

const server = new Tars.server()
server.initialize(process.env.TARS_CONFIG, (self) => {
  const name = `${self.Application}.${self.ServerName}`
  self.addServant(createServant(name, loadConfig), `${name}.HelloObj`)
})
server.start()
notify.report('restart')
console.log('HelloServer started')
