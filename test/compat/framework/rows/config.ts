// tarsconfig: ConfigObj (framework-services 2).
import type { Call } from '../clients.ts'
import { seeAll, struct, textArgs, type Row } from '../row.ts'

export const configs = 'tars.tarsconfig.ConfigObj'
const joined = '<tars>\na=1\n</tars>\r\n\r\nof one'

const infoFields = { appname: 'Test', servername: 'Hello', filename: 'f.conf', bAppOnly: false, host: 'test-hello-1', setdivision: '' }

function infoRow(func: string, out: string, expected: unknown, change: Partial<typeof infoFields> = {}): Row {
  const { appname, servername, filename, bAppOnly, host, setdivision } = { ...infoFields, ...change }
  const info = struct([[0, 'appname', appname], [1, 'servername', servername], [2, 'filename', filename], [3, 'bAppOnly', bAppOnly], [4, 'host', host], [5, 'setdivision', setdivision]])
  return { section: '2.1', servant: configs, func, args: [[1, 'configInfo', info.value]], json: { configInfo: info.json }, results: { 0: 'return', 2: out }, see: seeAll(out), expected }
}

function row(func: string, args: Call['args'], out: string, expected: unknown): Row {
  return { section: '2.1', servant: configs, func, args, results: { 0: 'return', [args.length + 1]: out }, see: seeAll(out), expected }
}

const listInfo = { appname: 'Test', servername: 'Hello', bAppOnly: false, host: '', setdivision: '', containername: '' }

export const rows: readonly Row[] = [
  row('ListConfig', textArgs(['app', 'Test'], ['server', 'Hello']), 'vf', [0, ['f.conf']]),
  row('loadConfig', textArgs(['app', 'Test'], ['server', ''], ['filename', 'app.conf']), 'config', [0, 'of app']),
  row('loadConfig', textArgs(['app', 'Test'], ['server', 'Hello'], ['filename', 'none']), 'config', [-1, '']),
  row('loadConfigByHost', textArgs(['appServerName', 'Test.Hello'], ['filename', 'f.conf'], ['host', 'test-hello-1']), 'config', [0, joined]),
  row('checkConfig', textArgs(['appServerName', 'Test.Hello'], ['filename', 'f.conf'], ['host', 'test-hello-0']), 'result', [0, '<tars>\na=1\n</tars>']),
  infoRow('ListConfigByInfo', 'vf', [0, ['f.conf']]),
  infoRow('loadConfigByInfo', 'config', [0, joined]),
  infoRow('loadConfigByInfo', 'config', [0, 'in set'], { setdivision: 'a.b.c' }),
  infoRow('loadConfigByInfo', 'config', [-1, ''], { setdivision: 'a.b' }),
  infoRow('checkConfigByInfo', 'result', [0, '<tars>\na=1\n</tars>'], { host: 'test-hello-0' }),
  { section: '2.1', servant: configs, func: 'ListAllConfigByInfo', args: [[1, 'configInfo', { struct: { 0: 'Test', 1: 'Hello' } }]], json: { configInfo: listInfo }, results: { 0: 'return', 2: 'vf' }, see: seeAll('vf'), expected: [0, ['f.conf']] },
]
