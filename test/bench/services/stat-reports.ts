// What services report of their calls: batches of 20 lines, as TarsCpp's and Tars.js' reporters send.
import { Writer } from '#tars/codec/writer.ts'
import { encodeRequest, version } from '#tars/packet.ts'
import { createStatMicMsgHead, StatF, type StatMicMsgBody } from '#tars/protocol/StatF.ts'
import { firstId } from './load.ts'

export const statObject = 'tars.tarsstat.StatObj'
export const linesABatch = 20
const reporters = 10
const bounds = [5, 10, 50, 100, 200, 500, 1000, 2000, 3000]

const body = (index: number): StatMicMsgBody => ({
  count: 60, timeoutCount: index % 7 === 0 ? 1 : 0, execCount: 0, intervalCount: new Map(bounds.map((bound, place) => [bound, place < 3 ? 20 : 0])), totalRspTime: BigInt(600 + (index % 100)), maxRspTime: 48, minRspTime: 1,
})

/** Bodies of so many batches, of which no two have a head in common. */
export function reportBodies(batches: number): Buffer[] {
  return Array.from({ length: batches }, (_, batch) => {
    const reporter = batch % reporters
    const lines = Array.from({ length: linesABatch }, (_unused, line) => [createStatMicMsgHead({
      masterName: `Shop.Web${reporter}`, slaveName: `Shop.Cart.CartObj`, interfaceName: `function${batch * linesABatch + line}`, masterIp: '10.244.17.23', slaveIp: `10.244.18.${batch % 200}`, slavePort: 10_001, returnValue: 0, tarsVersion: '3.0.1',
    }), body(line)] as const)
    const writer = new Writer()
    StatF.functions['reportMicMsg']?.writeArgs(writer, [new Map(lines), true])
    return Buffer.from(writer.bytes())
  })
}

export const reports = (bodies: readonly Buffer[]): Buffer[] => bodies.map((one, index) => encodeRequest({ version: version.tars, requestId: firstId + index, servant: statObject, func: 'reportMicMsg', body: one }))
