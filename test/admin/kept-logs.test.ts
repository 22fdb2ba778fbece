// Logs that tarslog keeps, by AdminRegObj: of every pod of it that answers.
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { Communicator } from '#tars/client.ts'
import { AdminReg, type AdminRegProxy } from '#tars/protocol/AdminReg.ts'
import { Log, type LogProxy } from '#tars/protocol/LogF.ts'
import { startAdminRegistry, type RunningAdminRegistry } from '../../framework/admin/adminreg/adminreg.ts'
import { startLog, type RunningLog } from '../../framework/log/log.ts'
import { namespace, startCluster, until, type TestCluster } from '../registry/cluster.ts'
import { ownAddress } from '../rig/own-address.ts'
import { createTserver, setPods } from './rig.ts'

let cluster: TestCluster
let registry: RunningAdminRegistry
let log: RunningLog
let folder: string
let admin: AdminRegProxy
const communicator = new Communicator({ timeoutMs: 60_000 })
const keeper = ownAddress()
/** Where nothing answers. */
const silent = ownAddress()
const file = `Demo.Hello_a_${new Date().getFullYear()}.log`
const shown = /^[\d.]+\|two\n/

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-kept-'))
  cluster = await startCluster()
  registry = await startAdminRegistry({ client: cluster.client, namespace, address: '127.0.0.1', port: 0, log: silentLogger, signal: new AbortController().signal })
  admin = communicator.proxy<AdminRegProxy>(AdminReg, `tars.tarsAdminRegistry.AdminRegObj@tcp -h 127.0.0.1 -p ${registry.port}`)
  const keeping = { maxAgeMs: Infinity, gzipAgeMs: Infinity, maxBytes: Infinity }
  log = await startLog({ address: keeper, ports: { log: 12_111, topology: 13_030 }, path: folder, data: join(folder, '.index'), namesNode: true, conf: undefined, keeping, traceDays: 7, openFiles: 16, otlp: undefined, healthPort: undefined, log: silentLogger })
  await communicator.proxy<LogProxy>(Log, `tars.tarslog.LogObj@tcp -h ${keeper} -p 12111`).logger('Demo', 'Hello', 'a', '%Y', ['one\n', 'two\n'])
})
afterAll(async () => {
  await communicator.close()
  await registry?.stop()
  await log?.stop()
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
})

test('while no pod of tarslog is there it says so', async () => {
  expect(await admin.getLogData('Demo', 'Hello', 'remote', 'x.log', 'tail -1 x')).toEqual({ return: 1001, fileData: expect.stringContaining('no pod of tars.tarslog') })
})

test('without a node, or with "remote" for one, they are shown', async () => {
  await createTserver(cluster.client, 'tars', 'tarslog', { servants: [{ name: 'TopologyObj', port: 13_030 }] })
  await setPods(cluster.client, 'tars', 'tarslog', [{ name: 'tars-tarslog-0', podIP: keeper }])
  await until(async () => (await admin.getLogFileList('Demo', 'Hello', '')).return === 0)
  for (const node of ['', 'remote']) expect(await admin.getLogFileList('Demo', 'Hello', node)).toEqual({ return: 0, logFileList: [file] })
  expect(await admin.getLogData('Demo', 'Hello', 'remote', file, 'tail -1 x | cat -v')).toEqual({ return: 0, fileData: expect.stringMatching(shown) })
  expect((await admin.getLogData('Demo', 'Hello', 'remote', '../Hello/x', 'tail -1 x')).return).toBe(-1)
  await symlink('Broken', join(folder, 'Demo/Broken'))
  expect(await admin.getLogFileList('Demo', 'Broken', 'remote')).toEqual({ return: -1, logFileList: [] })
})

test('a pod that does not answer hides nothing of another, and is named; when none answers that is said', async () => {
  await setPods(cluster.client, 'tars', 'tarslog', [{ name: 'tars-tarslog-0', podIP: keeper }, { name: 'tars-tarslog-1', podIP: silent }])
  const data = () => admin.getLogData('Demo', 'Hello', 'remote', file, 'tail -1 x')
  await until(async () => (await data()).fileData.endsWith('(tars-tarslog-1 does not answer; what it keeps is not shown)\n'))
  expect(await data()).toEqual({ return: 0, fileData: expect.stringMatching(shown) })
  expect(await admin.getLogFileList('Demo', 'Hello', 'remote')).toEqual({ return: 0, logFileList: [file] })
  await setPods(cluster.client, 'tars', 'tarslog', [{ name: 'tars-tarslog-1', podIP: silent }])
  await until(async () => (await data()).return !== 0)
  expect(await admin.getLogFileList('Demo', 'Hello', 'remote')).toMatchObject({ return: (await data()).return, logFileList: [] })
})
