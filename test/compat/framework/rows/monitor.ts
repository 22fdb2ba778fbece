// tarsstat, tarsproperty, and both QueryObj that answer about them (framework-services 6, 7 and 8).
import { plain } from '../clients.ts'
import { at, entries, returnsOnly, seeReturn, struct, type Row, type Struct } from '../row.ts'
import type { Value } from '../spec-codec.ts'

export const stats = 'tars.tarsstat.StatObj'
export const properties = 'tars.tarsproperty.PropertyObj'
export const statQueries = 'tars.tarsquerystat.QueryObj'
export const propertyQueries = 'tars.tarsqueryproperty.QueryObj'

const head = struct([[0, 'masterName', 'Shop.Web'], [1, 'slaveName', 'Shop.Cart'], [2, 'interfaceName', 'add'], [3, 'masterIp', ''], [4, 'slaveIp', '10.0.0.1'], [5, 'slavePort', 9000], [6, 'returnValue', 0], [7, 'slaveSetName', 'mall'], [8, 'slaveSetArea', 'sz'], [9, 'slaveSetID', '1'], [10, 'tarsVersion', '3.0']])
const body = struct([[0, 'count', 2], [1, 'timeoutCount', 1], [2, 'execCount', 0], [3, 'intervalCount', { map: [[5, 2], [10, 0]] }, { 5: 2, 10: 0 }], [4, 'totalRspTime', 6], [5, 'maxRspTime', 4], [6, 'minRspTime', 2]])
const sample = struct([[0, 'unid', 'u'], [1, 'masterName', 'Shop.Web'], [2, 'slaveName', 'Shop.Cart'], [3, 'interfaceName', 'add'], [4, 'masterIp', ''], [5, 'slaveIp', ''], [6, 'depth', 1], [7, 'width', 1], [8, 'parentWidth', 0]])
const propertyHead = struct([[0, 'moduleName', 'Shop.Web'], [1, 'ip', ''], [2, 'propertyName', 'queue'], [3, 'setName', ''], [4, 'setArea', ''], [5, 'setID', ''], [6, 'sContainer', ''], [7, 'iPropertyVer', 2]])
const info = (policy: string, value: string) => struct([[0, 'policy', policy], [1, 'value', value]])
const infos = [info('Sum', '3'), info('Max', '7')]

/** What is asked after everything was reported once by each client; days long ago have nothing. */
function question(dataid: string, date: string): { readonly value: Value; readonly json: Record<string, unknown> } {
  const condition = struct([[0, 'field', 'master_name'], [1, 'op', 5], [2, 'val', 'Old.%']])
  const index = dataid === 'tars_stat' ? ['succ_count', 'timeout_count'] : ['value']
  return struct([
    [0, 'uid', ''], [1, 'method', 'query'], [2, 'dataid', dataid], [3, 'date', date], [4, 'tflag1', '0000'], [5, 'tflag2', '2360'],
    [6, 'conditions', { list: [condition.value] }, [condition.json]], [7, 'indexs', { list: index }, index], [8, 'groupby', { list: ['master_name'] }, ['master_name']],
  ])
}

/** `[return, ret, msg, totalDb, result]` */
const seeAnswer: Row['see'] = (answer) => {
  const rsp = answer['rsp'] as Struct
  return [plain(answer['return']), at(rsp, 0, 'ret'), at(rsp, 1, 'msg'), at(rsp, 4, 'totalDb'), entries(rsp['result'] ?? rsp[6] ?? [])]
}

function questionRow(servant: string, dataid: string, [date, expected]: readonly [string, unknown]): Row {
  const asked = question(dataid, date)
  return { section: '8.1', servant, func: 'query', args: [[1, 'req', asked.value]], json: { req: asked.json }, results: { 0: 'return', 2: 'rsp' }, see: seeAnswer, expected }
}

const nothing = [0, 0, '', 1, []]

export const rows: readonly Row[] = [
  { section: '6.1, 0.3', servant: stats, func: 'reportMicMsg', args: [[1, 'msg', { map: [[head.value, body.value]] }], [2, 'bFromClient', true]], json: { msg: [{ key: head.json, value: body.json }], bFromClient: true }, results: returnsOnly, see: seeReturn, expected: 0 },
  { section: '6.1, 0.3', servant: stats, func: 'reportSampleMsg', args: [[1, 'msg', { list: [sample.value] }]], json: { msg: [sample.json] }, results: returnsOnly, see: seeReturn, expected: 0 },
  {
    section: '7, 0.3', servant: properties, func: 'reportPropMsg', args: [[1, 'statmsg', { map: [[propertyHead.value, { struct: { 0: { list: infos.map(({ value }) => value) } } }]] }]],
    json: { statmsg: [{ key: propertyHead.json, value: { vInfo: infos.map(({ json }) => json) } }] }, results: returnsOnly, see: seeReturn, expected: 0,
  },
  questionRow(statQueries, 'tars_stat', ['20260104', [0, 0, '', 1, [['Old.Web', [3, 1]]]]]),
  questionRow(statQueries, 'tars_stat', ['20200101', nothing]),
  questionRow(propertyQueries, 'tars_property', ['20260104', [0, 0, '', 1, [['Old.Web', [2.5]]]]]),
  questionRow(propertyQueries, 'tars_property', ['20200101', nothing]),
]
