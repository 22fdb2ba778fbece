// Our interfaces against the stubs that Tars.js services carry: each side reads what the other writes.
import { createRequire } from 'node:module'
import { describe, expect, test } from 'vitest'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import { createConfigInfo, createGetConfigListInfo, readConfigInfo, readGetConfigListInfo, writeConfigInfo, writeGetConfigListInfo } from '#tars/protocol/ConfigF.ts'
import { createReportInfo, NOTIFYLEVEL, readReportInfo, ReportType, writeReportInfo } from '#tars/protocol/NotifyF.ts'
import { createEndpointF, QueryF, readEndpointF, writeEndpointF } from '#tars/protocol/QueryF.ts'

type Fields = Record<string, unknown>

interface PeerStruct {
  new (): Fields
}

interface PeerStream {
  TarsOutputStream: new () => { writeStruct(tag: number, value: unknown): void; getBinBuffer(): { toNodeBuffer(): Buffer } }
  TarsInputStream: new (buffer: unknown) => { readStruct(tag: number, required: boolean, type: PeerStruct): Fields; readList(tag: number, required: boolean, type: unknown): { value: Fields[] } }
  BinBuffer: new (bytes: Buffer) => unknown
  List: (type: PeerStruct) => unknown
}

const load = createRequire(import.meta.url)
const stream = load('@tars/stream') as PeerStream
const peers = {
  ...(load('@tars/registry/EndpointFTars.js') as { tars: Record<string, PeerStruct> }).tars,
  ...(load('@tars/config/ConfigFProxy.js') as { tars: Record<string, PeerStruct> }).tars,
  ...(load('@tars/notify/NotifyFProxy.js') as { tars: Record<string, PeerStruct> }).tars,
}

const structs = [
  { name: 'EndpointF', value: createEndpointF({ host: '10.0.0.1', port: 17890, timeout: 60000, istcp: 1, grid: 2, setId: 'a.b.c', weight: 50, weightType: 1 }), read: readEndpointF, write: writeEndpointF },
  { name: 'ConfigInfo', value: createConfigInfo({ appname: 'App', servername: 'Server', filename: 'app.conf', bAppOnly: true, host: 'h', setdivision: 'a.b.c' }), read: readConfigInfo, write: writeConfigInfo },
  { name: 'GetConfigListInfo', value: createGetConfigListInfo({ appname: 'App', servername: 'S', bAppOnly: false, host: 'h' }), read: readGetConfigListInfo, write: writeGetConfigListInfo },
  { name: 'ReportInfo', value: createReportInfo({ eType: ReportType.NOTIFY, sApp: 'App', sServer: 'Server', sMessage: 'é', sThreadId: '7', eLevel: NOTIFYLEVEL.NOTIFYERROR }), read: readReportInfo, write: writeReportInfo },
] as const

describe('structs of Tars.js', () => {
  test.each(structs)('$name both ways', ({ name, value, read, write }) => {
    const type = peers[name] as PeerStruct
    const theirs = Object.assign(new type(), value)
    const os = new stream.TarsOutputStream()
    os.writeStruct(3, theirs)
    expect(read(new Reader(os.getBinBuffer().toNodeBuffer()), 3)).toEqual(value)

    const w = new Writer()
    ;(write as (writer: Writer, tag: number, struct: unknown) => void)(w, 3, value)
    const back = new stream.TarsInputStream(new stream.BinBuffer(w.bytes())).readStruct(3, true, type)
    // Their struct is older: it has some of our fields, and those must be the same.
    const known = Object.keys(new type()).filter((field) => field in value)
    expect(known.length).toBeGreaterThan(4)
    for (const field of known) expect([field, back[field]]).toEqual([field, value[field as keyof typeof value]])
  })

  test('an answer of findObjectById4Any is read by their proxy code', () => {
    const active = [createEndpointF({ host: 'a', port: 1, istcp: 1 }), createEndpointF({ host: 'b', port: 2 })]
    const w = new Writer()
    QueryF.functions['findObjectById4Any']?.writeResult(w, { return: 0, activeEp: active, inactiveEp: [] })
    const is = new stream.TarsInputStream(new stream.BinBuffer(w.bytes()))
    const list = is.readList(2, true, stream.List(peers['EndpointF'] as PeerStruct))
    expect(list.value.map((one) => [one['host'], one['port']])).toEqual([['a', 1], ['b', 2]])
  })

  test('a struct that leaves out null strings, as TarsJava does, and has an unknown tag', () => {
    const w = new Writer()
    w.beginStruct(1)
    w.writeInt(1, ReportType.REPORT)
    w.writeString(2, 'App')
    w.writeString(6, 'message')
    w.writeString(10, 'from a newer peer')
    w.endStruct()
    expect(readReportInfo(new Reader(w.bytes()), 1)).toEqual(createReportInfo({ sApp: 'App', sMessage: 'message' }))
  })
})
