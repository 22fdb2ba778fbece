import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { Node, type NodeProxy } from '#tars/protocol/Node.ts'
import { listLogFiles, parseLogQuery } from '#base/log-files.ts'
import { descriptor, NotingRegistry, pod, removeScratch, supervise } from './rig.ts'

afterAll(removeScratch)

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

describe('what TarsWeb asks of a log', () => {
  it('is read from both ends, with the keyword as it is', () => {
    expect(parseLogQuery('tail -100 __log_file_name__ | cat -v ')).toEqual({ take: { end: 'tail', lines: 100 }, keyword: undefined, ignoreCase: false, then: undefined })
    expect(parseLogQuery('head -20 x | grep  -a  -i  a | b "c"|tail -5 | cat -v ')).toEqual({ take: { end: 'head', lines: 20 }, keyword: 'a | b "c"', ignoreCase: true, then: { end: 'tail', lines: 5 } })
    expect(parseLogQuery(`tail -1 x | grep -a 'two words'`).keyword).toBe('two words')
  })

  it.each(['', 'cat x', 'tail -NaN x', 'tail -0 x', 'tail -50001 x', 'tail -5 x; rm -rf /', 'tail -5 x | sh', 'tail -5 x | grep -a y|head -NaN | sh && z'.replace('grep -a y', 'sort')])('is refused: %s', (text) => {
    expect(() => parseLogQuery(text)).toThrow(/is not answered/)
  })

  it('is refused when it is longer than any, which would take long to take apart', () => {
    expect(() => parseLogQuery(`tail -5 x | grep -a y${' '.repeat(4096)}`)).toThrow(/is not answered/)
  })
})

it('files that go while they are listed are left out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tarsk8s-going-'))
  cleanups.push(async () => rmSync(folder, { recursive: true }))
  const rounds = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(`
    const { rmSync, writeFileSync } = require('node:fs')
    const { workerData: { folder, rounds } } = require('node:worker_threads')
    for (; rounds[0] < 2000; Atomics.add(rounds, 0, 1)) for (const change of [(path) => writeFileSync(path, ''), (path) => rmSync(path)]) for (let number = 0; number < 5; number++) change(folder + '/' + number + '.log')
  `, { eval: true, workerData: { folder, rounds } })
  cleanups.push(async () => void (await worker.terminate()))
  while (Atomics.load(rounds, 0) < 2000) listLogFiles(folder)
})

it('NodeObj lists and reads the log files of its server, and nothing else', async () => {
  const registry = new NotingRegistry(descriptor())
  await registry.start()
  cleanups.push(() => registry.stop())
  const container = pod(registry)
  const logs = join(container.root, 'usr/local/app/tars/app_log/Test/EchoServer')
  mkdirSync(join(logs, 'folder.log'), { recursive: true })
  writeFileSync(join(logs, 'Test.EchoServer.log'), Array.from({ length: 1000 }, (_, i) => `${i} ${i % 100 === 0 ? 'Error \x1b[1m' : 'fine'}\n`).join(''))
  writeFileSync(join(logs, 'older.log.1'), 'old\n')
  writeFileSync(join(logs, 'notes.txt'), 'secret\n')
  utimesSync(join(logs, 'older.log.1'), 1, 1)
  symlinkSync('/etc/hostname', join(logs, 'way-out.log'))
  const space = await supervise(container)
  cleanups.push(() => space.destroy())
  const { pid } = await registry.report(({ present }) => present === 'Active')
  const communicator = new Communicator({ timeoutMs: 60_000 })
  cleanups.push(() => communicator.close())
  const node = communicator.proxy<NodeProxy>(Node, `tars.tarsnode.NodeObj@tcp -h ${container.address} -p 19385`)
  expect(await node.getLogFileList('Test', 'EchoServer')).toEqual({ return: 0, logFileList: ['Test.EchoServer.log', 'older.log.1'] })
  expect(await node.getLogFileList('Test', 'Other')).toEqual({ return: 0, logFileList: [] })
  const read = (file: string, query: string): Promise<{ return: number; fileData: string }> => node.getLogData('Test', 'EchoServer', file, query)
  expect(await read('Test.EchoServer.log', 'tail -2 x | cat -v ')).toEqual({ return: 0, fileData: '998 fine\n999 fine\n' })
  expect(await read('Test.EchoServer.log', 'head -301 x | grep -a -i ERROR|tail -2 | cat -v ')).toEqual({ return: 0, fileData: '200 Error ^[[1m\n300 Error ^[[1m\n' })
  for (const file of ['way-out.log', '../EchoServer/Test.EchoServer.log', '/etc/hostname', 'folder.log', 'missing.log', '', '..']) expect(await read(file, 'tail -1 x'), file).toEqual({ return: -1, fileData: expect.stringContaining('there is no log file') })
  expect(await read('Test.EchoServer.log', 'sh -c id')).toEqual({ return: -1, fileData: expect.stringContaining('is not answered') })
  expect(await node.getLogData('Test', 'Other', 'Test.EchoServer.log', 'tail -1 x')).toMatchObject({ return: -1 })
  const load = await node.getNodeLoad('Test', 'EchoServer', pid)
  expect(load.return).toBe(0)
  expect(load.fileData).toMatch(new RegExp(`^load average: [\\d.]+, .*\\n[^]*\\n +${pid} [A-Z] [^]*#global-top-end#\\n#this-top-begin#-{100}\\n[^]*#this-top-end#\\n#core-file-begin#-{100}\\n$`))
})
