// tarsnotify: NotifyObj (framework-services 3).
import { plain } from '../clients.ts'
import { answered, at, struct, textArgs, type Row } from '../row.ts'

export const notifies = 'tars.tarsnotify.NotifyObj'
const report = struct([[1, 'eType', 1], [2, 'sApp', 'Test'], [3, 'sSet', ''], [4, 'sContainer', ''], [5, 'sServer', 'Hello'], [6, 'sMessage', 'm'], [7, 'sThreadId', '7'], [8, 'eLevel', 1], [9, 'sNodeName', 'n']])
const key = struct([[1, 'name', 'None.Such'], [2, 'ip', ''], [3, 'page', 0]])

export const rows: readonly Row[] = [
  { section: '3.1', servant: notifies, func: 'reportServer', args: textArgs(['sServerName', 'Test.Hello'], ['sThreadId', '1'], ['sMessage', 'm']), ...answered },
  { section: '3.1', servant: notifies, func: 'notifyServer', args: [[1, 'sServerName', 'Test.Hello'], [2, 'level', 2], [3, 'sMessage', 'm']], ...answered },
  { section: '3.1', servant: notifies, func: 'reportNotifyInfo', args: [[1, 'info', report.value]], json: { info: report.json }, ...answered },
  {
    section: '3.1', servant: notifies, func: 'getNotifyInfo', args: [[1, 'stKey', key.value]], json: { stKey: key.json }, results: { 0: 'return', 2: 'stInfo' },
    see: (answer) => [plain(answer['return']), at(answer['stInfo'], 1, 'nextpage')], expected: [0, 0],
  },
]
