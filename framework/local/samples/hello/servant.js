'use strict'
// The business code, the same in both services: one servant, HelloObj.
const Tars = require('@tars/rpc')
const { Greeting, HelloSkeleton, HelloProxy } = require('./Hello.js')

/**
 * @param {string} name `App.Server`
 * @param {(file: string) => Promise<string>} loadConfig reads a configuration file of this server
 */
module.exports = function createServant(name, loadConfig) {
  return class HelloServant extends HelloSkeleton {
    greet(current, who) {
      current.sendResponse(0, this.greeting(`Hello, ${who}!`))
    }

    relay(current, obj, who) {
      const proxy = Tars.client.stringToProxy(HelloProxy, obj)
      proxy.greet(who).then(
        ({ ret, greeting }) => {
          greeting.trail.insert(name, obj)
          current.sendResponse(ret, greeting)
        },
        (error) => current.sendResponse(-1, this.greeting(`${obj} did not answer: ${error.message ?? JSON.stringify(error.response ?? error)}`)),
      )
    }

    readConfig(current, file) {
      loadConfig(file).then(
        (content) => current.sendResponse(0, content),
        (error) => current.sendResponse(-1, String(error.message ?? error)),
      )
    }

    greeting(text) {
      return Object.assign(new Greeting(), { text, server: name, pid: process.pid })
    }
  }
}
