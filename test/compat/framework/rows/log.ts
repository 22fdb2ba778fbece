// tarslog: LogObj, TopologyObj, and LogViewObj for AdminRegObj (framework-services 4, 5 and 10.1).
import type { Call } from '../clients.ts'
import { answered, seeAll, seeReturn, textArgs, type Row } from '../row.ts'

export const logs = 'tars.tarslog.LogObj'
export const topologies = 'tars.tarslog.TopologyObj'
export const views = 'tars.tarslog.LogViewObj'
const logInfo = { appname: 'Test', servername: 'Hello', sFilename: 'info', sFormat: '%Y', setdivision: '', bHasSufix: true, bHasAppNamePrefix: true, bHasSquareBracket: false, sConcatStr: '_', sSepar: '|', sLogType: '' }
const day = '20260305'

function topologyRow(func: string, args: Call['args'], out: string): Row {
  return { section: '5', servant: topologies, func, args, results: { 0: 'return', [args.length + 1]: out }, see: seeAll(out), expected: [0, []] }
}

export const rows: readonly Row[] = [
  { section: '4.1', servant: logs, func: 'logger', args: [...textArgs(['app', 'Test'], ['server', 'Hello'], ['file', 'plain'], ['format', '%Y']), [5, 'buffer', { list: ['a line\n'] }]], json: { app: 'Test', server: 'Hello', file: 'plain', format: '%Y', buffer: ['a line\n'] }, ...answered },
  { section: '4.1', servant: logs, func: 'loggerbyInfo', args: [[1, 'info', { struct: { 0: 'Test', 1: 'Hello', 2: 'info', 3: '%Y' } }], [2, 'buffer', { list: ['a line\n'] }]], json: { info: logInfo, buffer: ['a line\n'] }, ...answered },
  topologyRow('graphServer', textArgs(['date', day], ['serverName', 'x']), 'graph'),
  topologyRow('graphFunction', textArgs(['date', day], ['functionName', 'x']), 'graph'),
  topologyRow('listFunction', textArgs(['date', day], ['serverName', 'x']), 'fs'),
  topologyRow('listTrace', textArgs(['date', day], ['serverName', 'x']), 'ts'),
  topologyRow('listTraceSummary', [[1, 'date', day], [2, 'beginTime', 0], [3, 'endTime', 9], [4, 'serverName', 'x']], 'ts'),
  { section: '5', servant: topologies, func: 'graphTrace', args: textArgs(['date', day], ['traceId', 'x']), results: { 0: 'return', 3: 'graph' }, see: seeReturn, expected: -1 },
  { section: '10.1', servant: views, func: 'getLogFileList', args: textArgs(['application', 'Test'], ['serverName', 'None']), results: { 0: 'return', 3: 'logFileList' }, see: seeAll('logFileList'), expected: [0, []] },
  { section: '10.1', servant: views, func: 'getLogData', args: textArgs(['application', 'Test'], ['serverName', 'None'], ['logFile', 'x.log'], ['cmd', 'tail -1 x']), results: { 0: 'return', 5: 'fileData' }, see: (answer) => [seeReturn(answer), String(answer['fileData']).includes('there is no log file "x.log"')], expected: [-1, true] },
]
