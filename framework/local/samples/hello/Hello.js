'use strict'
// What a .tars compiler for JavaScript emits for Hello.tars: the struct, the servant's skeleton and the client's proxy.
const TarsStream = require('@tars/stream')
const { error: TarsError } = require('@tars/rpc')

const newStringMap = () => new TarsStream.Map(TarsStream.String, TarsStream.String)

class Greeting {
  constructor() {
    this.text = ''
    this.server = ''
    this.pid = 0
    this.trail = newStringMap()
  }

  _writeTo(os) {
    os.writeString(0, this.text)
    os.writeString(1, this.server)
    os.writeInt32(2, this.pid)
    os.writeMap(3, this.trail)
  }

  static _readFrom(is) {
    const greeting = new Greeting()
    greeting.text = is.readString(0, true, '')
    greeting.server = is.readString(1, false, '')
    greeting.pid = is.readInt32(2, false, 0)
    greeting.trail = is.readMap(3, false, newStringMap())
    return greeting
  }

  static create(is) {
    return Greeting._readFrom(is)
  }
}
Greeting._classname = 'Demo.Greeting'
Greeting.prototype._classname = 'Demo.Greeting'

/** Base of a servant: decodes the call, and gives `current` a sendResponse that encodes the answer. */
class HelloSkeleton {
  initialize() {}

  onDispatch(current, name, buffer) {
    const is = new TarsStream.TarsInputStream(buffer)
    const answer = (write) => {
      const os = new TarsStream.TarsOutputStream()
      write(os)
      current.doResponse(os.getBinBuffer())
    }
    switch (name) {
      case 'tars_ping':
        answer((os) => os.writeInt32(0, 0))
        break
      case 'greet': {
        current.sendResponse = (ret, greeting) => answer((os) => (os.writeInt32(0, ret), os.writeStruct(2, greeting)))
        this.greet(current, is.readString(1, true, ''))
        break
      }
      case 'relay': {
        current.sendResponse = (ret, greeting) => answer((os) => (os.writeInt32(0, ret), os.writeStruct(3, greeting)))
        this.relay(current, is.readString(1, true, ''), is.readString(2, true, ''))
        break
      }
      case 'readConfig': {
        current.sendResponse = (ret, content) => answer((os) => (os.writeInt32(0, ret), os.writeString(2, content)))
        this.readConfig(current, is.readString(1, true, ''))
        break
      }
      default:
        return TarsError.SERVER.FUNC_NOT_FOUND
    }
    return TarsError.SUCCESS
  }
}

class HelloProxy {
  constructor() {
    this._name = undefined
    this._worker = undefined
  }

  setTimeout(ms) {
    this._worker.timeout = ms
  }

  greet(name) {
    const os = new TarsStream.TarsOutputStream()
    os.writeString(1, name)
    return this._worker.tars_invoke('greet', os.getBinBuffer()).then(({ response }) => {
      const is = new TarsStream.TarsInputStream(response.sBuffer)
      return { ret: is.readInt32(0, true, 0), greeting: is.readStruct(2, true, Greeting) }
    })
  }
}

module.exports = { Greeting, HelloSkeleton, HelloProxy }
