// Reports and questions as bytes: kept ones, which TarsJava's codec made, and those that it makes of the same values now.
import { describe, expect, test } from 'vitest'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import type { FunctionCodec } from '#tars/idl/interface.ts'
import { createMonitorQueryReq, MonitorOp, MonitorQuery, MonitorQuerySchema } from '#tars/protocol/MonitorQuery.ts'
import { createStatPropMsgHead, PropertyF, PropertyFSchema } from '#tars/protocol/PropertyF.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF, StatFSchema, writeStatMicMsgBody } from '#tars/protocol/StatF.ts'
import type { Schema, Type } from '#tars/idl/schema.ts'
import { startJavaPeer } from '../../../compat/java-codec/java-peer.ts'

const calls = new Map([[
  createStatMicMsgHead({ masterName: 'Shop.Web@1.2', slaveName: 'Shop.Cart.CartObj', interfaceName: 'add', masterIp: '10.0.0.1', slaveIp: 'shop-cart-0.shop-cart', slavePort: 10_001, returnValue: -3, slaveSetName: 'a', slaveSetArea: 'b', slaveSetID: 'c' }),
  createStatMicMsgBody({ count: 300, timeoutCount: 1, execCount: 2, intervalCount: new Map([[5, 100], [3000, 200]]), totalRspTime: 5_000_000_000n, maxRspTime: 70_000, minRspTime: 1 }),
]])
const values = new Map([[createStatPropMsgHead({ moduleName: 'Shop.Cart', ip: '10.0.0.1', propertyName: 'size', iPropertyVer: 2 }), { vInfo: [{ policy: 'Avg', value: '12=3' }, { policy: 'Distr', value: '0|1,10|2,max|3' }] }]])
const question = createMonitorQueryReq({ uid: 'u', dataid: 'tars_stat', date: '20260105', tflag1: '0000', tflag2: '2360', conditions: [{ field: 'slave_name', op: MonitorOp.LIKE, val: 'Shop.%' }], indexs: ['succ_count'], groupby: ['f_tflag'] })

const cases: readonly { readonly what: string; readonly schema: Schema; readonly type: Type; readonly value: unknown; readonly func: FunctionCodec | undefined; readonly args: readonly unknown[]; readonly more: string; readonly hex: string }[] = [
  { what: 'reportMicMsg', schema: StatFSchema, type: { map: [{ struct: 'tars::StatMicMsgHead' }, { struct: 'tars::StatMicMsgBody' }] }, value: calls, func: StatF.functions['reportMicMsg'], args: [calls, true], more: '2001', hex: '1800010a060c53686f702e57656240312e32161153686f702e436172742e436172744f626a2603616464360831302e302e302e31461573686f702d636172742d302e73686f702d6361727451271160fd760161860162960163a6000b1a01012c1001200238000200051064010bb81100c843000000012a05f200520001117060010b' },
  { what: 'reportPropMsg', schema: PropertyFSchema, type: { map: [{ struct: 'tars::StatPropMsgHead' }, { struct: 'tars::StatPropMsgBody' }] }, value: values, func: PropertyF.functions['reportPropMsg'], args: [values], more: '', hex: '1800010a060953686f702e43617274160831302e302e302e31260473697a65360046005600660070020b1a0900020a0603417667160431323d330b0a06054469737472160e307c312c31307c322c6d61787c330b0b' },
  { what: 'query', schema: MonitorQuerySchema, type: { struct: 'tars::MonitorQueryReq' }, value: question, func: MonitorQuery.functions['query'], args: [question], more: '', hex: '1a060175160571756572792609746172735f73746174360832303236303130354604303030305604323336306900010a060a736c6176655f6e616d651005260653686f702e250b790001060a737563635f636f756e748900010607665f74666c61670b' },
]

describe('as bytes', () => {
  test.each(cases)('$what', async ({ schema, type, value, func, args, more, hex }) => {
    const java = await startJavaPeer(schema)
    const theirs = await java.encode(type, 1, value)
    await java.stop()
    expect(theirs.toString('hex')).toBe(hex)
    const w = new Writer()
    func?.writeArgs(w, [...args])
    expect(w.bytes().toString('hex')).toBe(hex + more)
    expect(func?.readArgs(new Reader(Buffer.from(hex + more, 'hex')))).toEqual(args)
  }, 600_000)
})

test('a report of TarsJava leaves out texts that are null, and is whole', () => {
  const w = new Writer()
  w.beginMap(1, 1)
  w.beginStruct(0)
  w.writeString(0, 'Shop.Web')
  w.writeString(1, 'Shop.Cart')
  w.writeInt(5, 7)
  w.writeInt(6, 0)
  w.endStruct()
  writeStatMicMsgBody(w, 1, createStatMicMsgBody({ count: 3 }))
  w.writeBool(2, true)
  expect(StatF.functions['reportMicMsg']?.readArgs(new Reader(w.bytes()))).toEqual([new Map([[createStatMicMsgHead({ masterName: 'Shop.Web', slaveName: 'Shop.Cart', slavePort: 7 }), createStatMicMsgBody({ count: 3 })]]), true])
})
