// What no caller of good will sends, and how it is sent to every function of a servant.
import { Writer } from '#tars/codec/writer.ts'
import type { Interface } from '#tars/idl/interface.ts'
import { request, wireTo } from './rig.ts'

const repeat = (bytes: readonly number[], count: number): Buffer => Buffer.concat(Array.from({ length: count }, () => Buffer.from(bytes)))
function written(write: (w: Writer) => void): Buffer {
  const w = new Writer()
  write(w)
  return w.take(0)
}
const everyTag = (write: (w: Writer, tag: number) => void): Buffer => written((w) => {
  for (let tag = 1; tag <= 8; tag++) write(w, tag)
})
export const names = ['../../../../etc/passwd', '/etc/shadow', '..', '.', 'a/b\\c', 'x\n[fake] line\r\n', '\u0000', '\u001b[2J', 'a'.repeat(300), '${app}', '%s%n%n', "'; DROP TABLE x; --", '__proto__', 'constructor', '*', '%', '\ud800', '', ' ', '<script>', '$(id)']
/** Long, and not worth less: what parses them sees as many parts. */
export const dots = 'a.'.repeat(10_000)

export const bodies: Readonly<Record<string, Buffer>> = {
  empty: Buffer.alloc(0),
  noise: repeat([0xab, 0x13, 0x7f], 400),
  'a cut field': Buffer.from([0x11, 0x01]),
  'structs in structs': repeat([0x1a], 200_000),
  'lists in lists': Buffer.concat([Buffer.from([0x19, 0x00, 0x01]), repeat([0x09, 0x00, 0x01], 60_000)]),
  'maps in maps': Buffer.concat([Buffer.from([0x18, 0x00, 0x01]), repeat([0x08, 0x00, 0x01], 60_000)]),
  'a list of two thousand million': everyTag((w, tag) => w.writeRaw(Buffer.from([(tag << 4) | 9, 2, 0x7f, 0xff, 0xff, 0xff]))),
  'a list of minus one': everyTag((w, tag) => w.writeRaw(Buffer.from([(tag << 4) | 9, 2, 0xff, 0xff, 0xff, 0xff]))),
  'a map of two thousand million': everyTag((w, tag) => w.writeRaw(Buffer.from([(tag << 4) | 8, 2, 0x7f, 0xff, 0xff, 0xff]))),
  'bytes without end': everyTag((w, tag) => w.writeRaw(Buffer.from([(tag << 4) | 13, 0, 2, 0x7f, 0xff, 0xff, 0xff]))),
  'a text of four gigabytes': Buffer.from([0x17, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]),
  'structs for all': everyTag((w, tag) => {
    w.beginStruct(tag)
    w.endStruct()
  }),
  'numbers for all': everyTag((w, tag) => w.writeLong(tag, -(1n << 63n))),
  'floats for all': everyTag((w, tag) => w.writeDouble(tag, Number.NaN)),
  'long texts for all': everyTag((w, tag) => w.writeString(tag, 'x'.repeat(60_000))),
  'many dots for all': everyTag((w, tag) => w.writeString(tag, dots)),
  'texts that are none': everyTag((w, tag) => w.writeBytes(tag, Buffer.from([0xff, 0xfe, 0x00]))),
  'maps of many': everyTag((w, tag) => {
    w.beginMap(tag, 5000)
    for (let i = 0; i < 5000; i++) {
      w.writeString(0, `k${i}`)
      w.writeString(1, '../x')
    }
  }),
  'lists of many': everyTag((w, tag) => {
    w.beginList(tag, 5000)
    for (let i = 0; i < 5000; i++) w.writeString(0, '\n')
  }),
  ...Object.fromEntries(names.map((name, index) => [`names ${index}`, everyTag((w, tag) => w.writeString(tag, name))])),
}
export const json: Readonly<Record<string, string>> = {
  'JSON lists in lists': '['.repeat(100_000), 'JSON objects in objects': '{"a":'.repeat(50_000), 'JSON of prototypes': '{"__proto__":{"x":1},"constructor":{"prototype":{"y":2}}}',
  'JSON null': 'null', 'JSON number': '1e999', 'a JSON text': '"x"', 'no JSON': '{', 'JSON lists for all': `{${['app', 'server', 'id', 'info', 'msg', 'statmsg', 'buffer', 'req', 'filename', 'podName'].map((name) => `"${name}":[[1],{}]`).join()}}`,
}

export interface Target {
  readonly host: string
  readonly port: number
  readonly object: string
  readonly definition: Interface
  /** Address that it comes from. */
  readonly from: string
  /** @throws when what is called has ended */
  readonly alive: () => void
}

/** Sends all of it to every function, and functions that there are not; resolves when each request was answered or its connection closed. */
export async function sweep({ host, port, object, definition, from, alive }: Target): Promise<void> {
  let wire = await wireTo(host, port, from)
  let id = 1
  let sent: Promise<void>[] = []
  const send = (bytes: (requestId: number) => Buffer): void => {
    const requestId = ++id
    sent.push(wire.settled(requestId))
    wire.socket.write(bytes(requestId))
  }
  /** Waits until all that was sent is answered, or the connection is closed; then there is another one. */
  const settle = async (): Promise<void> => {
    await Promise.all(sent)
    sent = []
    wire.socket.destroy()
    wire = await wireTo(host, port, from)
    alive()
  }
  const functions = [...Object.keys(definition.functions), 'nothing', '__proto__', 'constructor', 'toString', '', 'x'.repeat(50_000), 'a\nb']
  for (const func of functions) {
    for (const body of Object.values(bodies)) {
      send((requestId) => request(object, func, body, { requestId }))
      wire.socket.write(request(object, func, body, { requestId: ++id, packetType: 1 }))
    }
    for (const text of Object.values(json)) send((requestId) => request(object, func, Buffer.from(text), { requestId, version: 5 }))
    for (const version of [3, 2, 0, -1]) send((requestId) => request(object, func, bodies['maps of many'] as Buffer, { requestId, version }))
    await settle()
  }
  // Heads: of whoever it is said to come from, and for whatever.
  const many = new Map(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 'v']))
  const [func = ''] = functions
  for (const name of [...names, dots, 'mall-shop-0', 'mall-shop-0.mall-shop', 'x'.repeat(100_000)]) {
    send((requestId) => request(object, func, Buffer.alloc(0), { requestId, context: new Map([['node_name', name], ['PID', name], ['Message', name]]), status: new Map([[name, name]]) }))
    send((requestId) => request(name, func, Buffer.alloc(0), { requestId }))
  }
  send((requestId) => request(object, func, Buffer.alloc(0), { requestId, context: many, status: many, timeoutMs: -5 }))
  send((requestId) => request(object, func, Buffer.alloc(0), { requestId, timeoutMs: 0x7fffffff }))
  send((requestId) => request(object, 'tars_ping', Buffer.alloc(0), { requestId }))
  await settle()
  wire.socket.destroy()
}
