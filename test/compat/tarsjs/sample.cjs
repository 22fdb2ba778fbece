// What tars2node would write for echo.tars, by hand: there is no Tars.js code generator on npm.
'use strict'
const Stream = require('@tars/stream')
const rpc = require('@tars/rpc')

class Item {
  static _classname = 'sample.Item'
  _classname = 'sample.Item'
  id = 0
  name = ''
  on = false
  small = 0
  big = 0
  rate = 0
  part = 0
  tiny = 0
  tags = new Stream.List(Stream.String)
  static _write(os, tag, value) { os.writeStruct(tag, value) }
  static _read(is, tag, def) { return is.readStruct(tag, true, def) }
  static _readFrom(is) {
    const tmp = new Item()
    tmp.id = is.readInt32(0, true, 0)
    tmp.name = is.readString(1, true, '')
    tmp.on = is.readBoolean(2, true, false)
    tmp.small = is.readInt16(3, true, 0)
    tmp.big = is.readInt64(4, true, 0)
    tmp.rate = is.readDouble(5, true, 0)
    tmp.part = is.readFloat(6, true, 0)
    tmp.tiny = is.readInt8(7, true, 0)
    tmp.tags = is.readList(8, false, Stream.List(Stream.String))
    return tmp
  }
  _writeTo(os) {
    os.writeInt32(0, this.id)
    os.writeString(1, this.name)
    os.writeBoolean(2, this.on)
    os.writeInt16(3, this.small)
    os.writeInt64(4, this.big)
    os.writeDouble(5, this.rate)
    os.writeFloat(6, this.part)
    os.writeInt8(7, this.tiny)
    os.writeList(8, this.tags)
  }
  static new() { return new Item() }
  static create(is) { return Item._readFrom(is) }
}

const Items = () => Stream.List(Item)
const Texts = () => Stream.List(Stream.String)

class Every {
  static _classname = 'sample.Every'
  _classname = 'sample.Every'
  static _write(os, tag, value) { os.writeStruct(tag, value) }
  static _read(is, tag, def) { return is.readStruct(tag, true, def) }
  static _readFrom(is) {
    const tmp = new Every()
    tmp.flag = is.readBoolean(0, true, false)
    tmp.b = is.readInt8(1, true, 0)
    tmp.s = is.readInt16(2, true, 0)
    tmp.i = is.readInt32(3, true, 0)
    tmp.l = is.readInt64(4, true, 0)
    tmp.ub = is.readUInt8(5, true, 0)
    tmp.us = is.readUInt16(6, true, 0)
    tmp.ui = is.readUInt32(7, true, 0)
    tmp.f = is.readFloat(8, true, 0)
    tmp.d = is.readDouble(9, true, 0)
    tmp.text = is.readString(10, true, '')
    tmp.bytes = is.readBytes(11, true, Stream.BinBuffer)
    tmp.numbers = is.readList(12, true, Stream.List(Stream.Int32))
    tmp.counts = is.readMap(13, true, Stream.Map(Stream.String, Stream.Int32))
    tmp.item = is.readStruct(14, true, Item)
    tmp.items = is.readList(15, true, Items())
    tmp.byId = is.readMap(16, true, Stream.Map(Stream.Int32, Item))
    tmp.color = is.readInt32(17, false, 5)
    tmp.note = is.readString(18, false, 'none')
    tmp.grid = is.readList(19, false, Stream.List(Texts()))
    tmp.far = is.readString(200, false, '')
    return tmp
  }
  _writeTo(os) {
    os.writeBoolean(0, this.flag)
    os.writeInt8(1, this.b)
    os.writeInt16(2, this.s)
    os.writeInt32(3, this.i)
    os.writeInt64(4, this.l)
    os.writeUInt8(5, this.ub)
    os.writeUInt16(6, this.us)
    os.writeUInt32(7, this.ui)
    os.writeFloat(8, this.f)
    os.writeDouble(9, this.d)
    os.writeString(10, this.text)
    os.writeBytes(11, this.bytes)
    os.writeList(12, this.numbers)
    os.writeMap(13, this.counts)
    os.writeStruct(14, this.item)
    os.writeList(15, this.items)
    os.writeMap(16, this.byId)
    os.writeInt32(17, this.color)
    os.writeString(18, this.note)
    os.writeList(19, this.grid)
    os.writeString(200, this.far)
  }
  static new() { return new Every() }
  static create(is) { return Every._readFrom(is) }
}

// By function: in parameters, then what is answered. [name, tag, kind]; kind is the suffix of the stream's methods.
const shapes = {
  text: { in: [['value', 1, 'String']], out: [['', 0, 'String']] },
  items: { in: [['list', 1, 'List', Items]], out: [['', 0, 'List', Items]] },
  every: { in: [['value', 1, 'Struct', () => Every]], out: [['', 0, 'Int32'], ['back', 2, 'Struct', () => Every]] },
  divide: { in: [['a', 1, 'Int32'], ['b', 2, 'Int32']], out: [['', 0, 'Int32'], ['rest', 3, 'Int32']] },
  nothing: { in: [], out: [] },
  slow: { in: [['value', 1, 'String'], ['ms', 2, 'Int32']], out: [['', 0, 'String']] },
  fail: { in: [['code', 1, 'Int32'], ['why', 2, 'String']], out: [['', 0, 'String']] },
  remember: { in: [['value', 1, 'String']], out: [['', 0, 'String']] },
}

const isTup = (version) => version === 2 || version === 3
const readField = (is, [, tag, kind, type]) => is['read' + kind](tag, true, type?.())
const readNamed = (tup, [name, , kind, type]) => tup['read' + kind](name, type?.())

class EchoImp {
  initialize() {}
  onDispatch(current, func, buffer) {
    const version = current.getRequestVersion()
    if (func === 'text' && !isTup(version)) return this.dispatchText(current, buffer)
    if (func === 'items' && !isTup(version)) return this.dispatchItems(current, buffer)
    const shape = func === 'tars_ping' ? shapes.nothing : shapes[func]
    if (shape === undefined) return rpc.error.SERVER.FUNC_NOT_FOUND
    const tup = new Stream.UniAttribute()
    tup.tupVersion = version
    if (isTup(version)) tup.decode(buffer)
    const is = new Stream.TarsInputStream(buffer)
    const args = shape.in.map((field) => (isTup(version) ? readNamed(tup, field) : readField(is, field)))
    current.sendResponse = (...values) => {
      const answer = new Stream.UniAttribute()
      answer.tupVersion = version
      const os = new Stream.TarsOutputStream()
      for (const [index, [name, tag, kind]] of shape.out.entries()) {
        if (isTup(version)) answer['write' + kind](name, values[index])
        else os['write' + kind](tag, values[index])
      }
      current.doResponse(isTup(version) ? answer.encode() : os.getBinBuffer())
    }
    if (func === 'tars_ping') current.sendResponse()
    else this[func](current, ...args)
    return rpc.error.SUCCESS
  }
  // The two that are benchmarked, written out as the generator does.
  dispatchText(current, buffer) {
    const is = new Stream.TarsInputStream(buffer)
    const value = is.readString(1, true)
    current.sendResponse = function (_ret) {
      const os = new Stream.TarsOutputStream()
      os.writeString(0, _ret)
      current.doResponse(os.getBinBuffer())
    }
    this.text(current, value)
    return rpc.error.SUCCESS
  }
  dispatchItems(current, buffer) {
    const is = new Stream.TarsInputStream(buffer)
    const list = is.readList(1, true, Stream.List(Item))
    current.sendResponse = function (_ret) {
      const os = new Stream.TarsOutputStream()
      os.writeList(0, _ret)
      current.doResponse(os.getBinBuffer())
    }
    this.items(current, list)
    return rpc.error.SUCCESS
  }
  text(current, value) {
    const context = current.getContext()
    if (context.get('echo-a') !== undefined) current.setResponseContext({ 'echo-a': context.get('echo-a') })
    current.sendResponse(value)
  }
  items(current, list) { current.sendResponse(list) }
  every(current, value) { current.sendResponse(value.i, value) }
  divide(current, a, b) {
    if (b === 0) return current.sendErrorResponse(17, 'division by zero')
    current.sendResponse(Math.trunc(a / b), a % b)
  }
  nothing(current) { current.sendResponse() }
  slow(current, value, ms) { setTimeout(() => current.sendResponse(value), ms) }
  fail(current, code, why) { current.sendErrorResponse(code, why) }
  remember(current, value) { current.sendResponse(value) }
}

function EchoProxy() {}
EchoProxy.prototype.setTimeout = function (ms) { this._worker.timeout = ms }
EchoProxy.prototype.setVersion = function (version) { this._worker.version = version }
for (const [func, shape] of Object.entries({ ...shapes, tars_ping: shapes.nothing })) {
  EchoProxy.prototype[func] = function (...args) {
    const version = this._worker.version
    const options = args[shape.in.length]
    const failed = (data) => { throw Object.assign(new Error(data.error.message), { ret: data.error.code }) }
    if (isTup(version)) {
      const tup = new Stream.UniAttribute()
      tup.tupVersion = version
      for (const [index, [name, , kind]] of shape.in.entries()) tup['write' + kind](name, args[index])
      return this._worker.tup_invoke(func, tup, options).then((data) => shape.out.map((field) => readNamed(data.response.tup, field)), failed)
    }
    const os = new Stream.TarsOutputStream()
    for (const [index, [, tag, kind]] of shape.in.entries()) os['write' + kind](tag, args[index])
    return this._worker.tars_invoke(func, os.getBinBuffer(), options).then((data) => {
      const is = new Stream.TarsInputStream(data.response.sBuffer)
      return Object.assign(shape.out.map((field) => readField(is, field)), { context: data.response.context })
    }, failed)
  }
}

module.exports = { Item, Every, EchoImp, EchoProxy, Stream, rpc }
