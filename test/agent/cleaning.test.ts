// Logs and core files on a real disk, rules that change while they are in force, and folders that pods plant links in.
import { execFileSync } from 'node:child_process'
import { appendFileSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLogger } from '#base/log.ts'
import { startCleaner, type Cleaner, type CleanerOptions } from '../../framework/agent/cleaning/cleaner.ts'
import { parseCrontab } from '../../framework/agent/cleaning/crontab.ts'
import { kindOf, numberedPartOf } from '../../framework/agent/cleaning/kinds.ts'
import { defaultLogRules, parseLogRules, type LogRules } from '../../framework/agent/cleaning/log-rules.ts'
import { openFiles } from '../../framework/agent/cleaning/open-files.ts'
import { sweep, type SweepOptions, type SweepReport } from '../../framework/agent/cleaning/sweep.ts'
import { eventually } from '../rig/eventually.ts'
import { readIfThere } from '../rig/pidns.ts'
import { whileSwapped } from './rig.ts'

const hourMs = 3600_000
const dayMs = 24 * hourMs
const block = 4096

let root: string
let logs: string
let rulesFolder: string
let lines: string[]
const log = createLogger({ write: (line) => void lines.push(line) })
const running: Cleaner[] = []

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tarsk8s-cleaning-'))
  logs = join(root, 'app_log')
  rulesFolder = join(root, 'rules')
  lines = []
  mkdirSync(logs)
  mkdirSync(rulesFolder)
})

afterEach(async () => {
  for (const one of running.splice(0)) await one.stop()
  rmSync(root, { recursive: true, force: true })
})

const pod = (...names: string[]): string => join(logs, 'ns', 'demo-hello-0', 'Demo', 'Hello', ...names)

/** A file of so many blocks that was last written to so long ago. */
function file(path: string, { ageMs = 0, blocks = 1 }: { ageMs?: number; blocks?: number } = {}): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, Buffer.alloc(blocks * block, 'x'))
  const time = (Date.now() - ageMs) / 1000
  utimesSync(path, time, time)
  return path
}

const clean = async (rules: Partial<LogRules> = {}, more: Partial<Pick<SweepOptions, 'isAbandoned' | 'open'>> = {}): Promise<SweepReport> =>
  await sweep({ root: logs, rules: { ...defaultLogRules, ...rules }, nowMs: Date.now(), open: more.open ?? (await openFiles()), isAbandoned: () => false, log, signal: new AbortController().signal, ...more })

const start = async (more: Partial<CleanerOptions> = {}): Promise<Cleaner> => {
  const cleaner = await startCleaner({ logs, rulesFolder, isAbandoned: () => false, log, ...more })
  running.push(cleaner)
  return cleaner
}

describe('names', () => {
  test.each([
    ['Demo.Hello.log', 'current'], ['stdout_stderr', 'current'], ['stdout', 'current'], ['stderr.log', 'current'], ['tarsnode.log', 'current'], ['core.log', 'current'], ['Demo.Hello2.log', 'current'],
    ['stdout_stderr.1', 'rolled'], ['stderr.20240101', 'rolled'], ['Demo.Hello.log.3', 'rolled'], ['Demo.Hello.log.2024-01-01', 'rolled'], ['Demo.Hello.log.gz', 'rolled'],
    ['Demo.Hello_20240101.log', 'dated'], ['Demo.Hello_rpc_2024-01-01.log', 'dated'], ['Demo.Hello_2024010113.log', 'dated'],
    ['core', 'core'], ['core.123', 'core'], ['core-Hello-11-1', 'core'],
    ['data.db', undefined], ['.log', undefined], ['corefile', undefined], ['notes.txt', undefined], ['access.logx', undefined],
  ] as const)('%s is %s', (name, kind) => {
    expect(kindOf(name)).toBe(kind)
  })

  test("native's numbered parts belong to their log", () => {
    expect(numberedPartOf('Demo.Hello12.log')).toBe('Demo.Hello.log')
    expect(numberedPartOf('Demo.Hello.log')).toBeUndefined()
  })
})

describe('rules', () => {
  test('crontab.config: six fields and a command, comments and blank lines', () => {
    expect(parseCrontab('# daily\n\n0 3 * * * *  find /a -name "*.log" | xargs rm\n*/5 * * * * ? true\r\n')).toEqual([
      { line: 3, pattern: '0 3 * * * *', command: 'find /a -name "*.log" | xargs rm' },
      { line: 4, pattern: '*/5 * * * * ?', command: 'true' },
    ])
  })

  test.each([
    ['0 3 * * *', /line 1: a rule has six fields/], ['0 3 * * * *', /six fields/], ['0 3 * * * find /a', /"0 3 \* \* \* find" is no time/],
    ['0 60 * * * * true', /"0 60 \* \* \* \*" is no time: Invalid value for minute: 60/], ['\n0 0 0 30 2 * true', /line 2: "0 0 0 30 2 \*" is a time that never comes/],
  ])('crontab.config %j is refused', (text, message) => {
    expect(() => parseCrontab(text)).toThrow(message)
  })

  test('cleaning.yaml: what it leaves out is as by default', () => {
    expect(parseLogRules('')).toEqual(defaultLogRules)
    expect(parseLogRules('every: 30s\nlogs: {maxAge: 2d, quota: 500Mi, open: keep}\ncores: {keep: 0}\n')).toEqual({ ...defaultLogRules, everyMs: 30_000, maxAgeMs: 2 * dayMs, quotaBytes: 500 * 2 ** 20, openLogs: 'keep', coreKeep: 0 })
  })

  test.each([
    ['logs: {maxAge: 5}', /logs.maxAge is 5 and must be a time such as/], ['logs: {quota: lots}', /logs.quota is "lots" and must be a size/], ['logs: {quota: 0}', /logs.quota/],
    ['logs: {open: delete}', /must be truncate or keep/], ['cores: {keep: -1}', /cores.keep is -1/], ['logs: {age: 5d}', /logs.age is not known here/], ['nonsense', /the file is not known here/], ['a: [', /cleaning.yaml: /],
  ])('cleaning.yaml %j is refused', (text, message) => {
    expect(() => parseLogRules(text)).toThrow(message)
  })
})

describe('age', () => {
  test('removes what is old and rolled, cuts what its server may have open, and leaves the rest', async () => {
    const old = { ageMs: 6 * dayMs }
    for (const name of ['Demo.Hello.log', 'stdout_stderr', 'Demo.Hello1.log', 'Demo.Hello_20240101.log', 'Demo.Hello.log.1', 'stdout_stderr.1', 'core.123', 'data.db', 'Demo.Other2.log']) file(pod(name), old)
    for (const name of ['Demo.Hello2.log', 'Demo.Hello_20240102.log', 'core.124']) file(pod(name), { ageMs: 4 * dayMs })
    const report = await clean()
    expect(readdirSync(pod()).toSorted()).toEqual(['Demo.Hello.log', 'Demo.Hello2.log', 'Demo.Hello_20240102.log', 'Demo.Other2.log', 'core.124', 'data.db', 'stdout_stderr'])
    expect(['Demo.Hello.log', 'stdout_stderr', 'Demo.Other2.log', 'data.db'].map((name) => statSync(pod(name)).size)).toEqual([0, 0, 0, block])
    expect(report).toEqual({ folders: 1, removed: 5, truncated: 3, freedBytes: { age: 8 * block, quota: 0, cores: 0 }, overQuota: 0, failures: 0 })
    expect((await clean()).removed).toBe(0)
  })

  test('does not remove a rolled log that a process has open', async () => {
    const path = file(pod('Demo.Hello.log.1'), { ageMs: 6 * dayMs })
    const descriptor = openSync(path, 'a')
    try {
      expect(await clean()).toMatchObject({ removed: 0, truncated: 0 })
    } finally {
      closeSync(descriptor)
    }
    expect(await clean()).toMatchObject({ removed: 1 })
  })

  test('takes the folder of a pod that is gone whole, and the folder of no other', async () => {
    file(pod('Demo.Hello.log'), { ageMs: 6 * dayMs })
    file(join(logs, 'ns', 'demo-hello-1', 'Demo', 'Hello', 'Demo.Hello.log'), { ageMs: 6 * dayMs })
    const isAbandoned = (_namespace: string, name: string): boolean => name === 'demo-hello-1'
    await clean({}, { isAbandoned })
    expect(existsSync(join(logs, 'ns', 'demo-hello-1', 'Demo', 'Hello', 'Demo.Hello.log'))).toBe(false)
    const old = (Date.now() - 6 * dayMs) / 1000
    for (const folder of ['Demo/Hello', 'Demo', '.']) utimesSync(join(logs, 'ns', 'demo-hello-1', folder), old, old)
    // Emptying a folder is a change of it: each sweep takes one level, in its time.
    await eventually(async () => {
      await clean({}, { isAbandoned })
      for (const folder of ['Demo/Hello', 'Demo', '.']) if (existsSync(join(logs, 'ns', 'demo-hello-1', folder))) utimesSync(join(logs, 'ns', 'demo-hello-1', folder), old, old)
      return !existsSync(join(logs, 'ns', 'demo-hello-1'))
    }, 'the folder is gone')
    expect(existsSync(pod('Demo.Hello.log'))).toBe(true)
  })
})

describe('core files', () => {
  test('the newest stay, one that is being written among them', async () => {
    for (let index = 1; index <= 5; index++) file(pod(`core.${index}`), { ageMs: index * 2 * hourMs })
    file(pod('core.now'))
    const report = await clean({ coreKeep: 2 })
    expect(readdirSync(pod())).toEqual(['core.1', 'core.2', 'core.now'])
    expect(report.freedBytes).toEqual({ age: 0, quota: 0, cores: 3 * block })
  })
})

describe('quota', () => {
  test('takes the oldest parts first, logs next, and no more than it needs', async () => {
    file(pod('Demo.Hello.log'), { blocks: 4 })
    for (let index = 1; index <= 4; index++) file(pod(`Demo.Hello${index}.log`), { blocks: 4, ageMs: index * 2 * hourMs })
    const report = await clean({ quotaBytes: 13 * block })
    expect(readdirSync(pod()).toSorted()).toEqual(['Demo.Hello.log', 'Demo.Hello1.log', 'Demo.Hello2.log'])
    expect(report).toMatchObject({ removed: 2, truncated: 0, freedBytes: { quota: 8 * block }, overQuota: 0 })
  })

  test('is of each pod, not of all', async () => {
    for (let index = 0; index < 3; index++) file(join(logs, 'ns', `demo-hello-${index}`, 'Demo', 'Hello', 'Demo.Hello.log'), { blocks: 4 })
    expect(await clean({ quotaBytes: 5 * block })).toMatchObject({ folders: 3, removed: 0, truncated: 0 })
  })

  test('cuts an open log, and its server writes on to where it can be read', async () => {
    const path = file(pod('Demo.Hello.log'), { blocks: 9 })
    const descriptor = openSync(path, 'a')
    expect(await clean({ quotaBytes: 5 * block })).toMatchObject({ removed: 0, truncated: 1, overQuota: 0 })
    appendFileSync(descriptor, 'written on')
    closeSync(descriptor)
    expect(readFileSync(path, 'utf8')).toBe('written on')
  })

  test('says when all that it could take is open, and may not be cut', async () => {
    file(pod('Demo.Hello.log'), { blocks: 9 })
    expect(await clean({ quotaBytes: 5 * block, openLogs: 'keep' })).toMatchObject({ removed: 0, truncated: 0, overQuota: 1 })
    expect(lines.join('')).toContain('log folder stays over its quota')
  })
})

describe('hostile folders', () => {
  test('nothing is removed, cut or entered through a link', async () => {
    const outside = file(join(root, 'outside', 'Demo.Hello.log.1'), { ageMs: 9 * dayMs })
    file(pod('Demo.Hello.log'), { ageMs: 9 * dayMs })
    symlinkSync(dirname(outside), pod('folder'))
    symlinkSync(outside, pod('link.log'))
    symlinkSync(dirname(outside), join(logs, 'ns', 'pod-link'))
    symlinkSync(dirname(dirname(outside)), join(logs, 'namespace-link'))
    const report = await clean({ quotaBytes: 1 })
    expect(report).toMatchObject({ folders: 1, failures: 0 })
    expect(statSync(outside).size).toBe(block)
  })

  test('a folder that is swapped for a link between any two steps leads nowhere', async () => {
    const outside = file(join(root, 'outside', 'Demo.Hello.log.1'), { ageMs: 9 * dayMs })
    const swapped = join(logs, 'ns', 'pod', 'swapped')
    mkdirSync(swapped, { recursive: true })
    // To look for what processes have open, each time, would take longer than all else.
    const open = new Set<string>()
    await whileSwapped(swapped, dirname(outside), async () => {
      for (let index = 0; index < 300; index++) {
        file(join(logs, 'ns', 'pod', 'Demo.Hello.log.1'), { ageMs: 9 * dayMs })
        expect(await clean({ quotaBytes: 1 }, { open })).toMatchObject({ removed: 1, failures: 0 })
      }
    })
    expect(statSync(outside).size).toBe(block)
  })

  test('one that cannot be cleaned is told, and harms no other', async () => {
    for (const name of ['a', 'b', 'c']) file(join(logs, 'ns', name, 'Demo.Hello.log.1'), { ageMs: 9 * dayMs })
    const stuck = join(logs, 'ns', 'b', 'Demo.Hello.log.1')
    execFileSync('mount', ['--bind', stuck, stuck])
    try {
      expect(await clean()).toMatchObject({ folders: 3, removed: 2, failures: 1 })
    } finally {
      execFileSync('umount', [stuck])
    }
    expect(JSON.parse(lines.find((line) => line.includes('log folder not cleaned')) ?? '{}')).toMatchObject({ folder: join(logs, 'ns', 'b'), error: expect.stringContaining('EBUSY') })
  })
})

describe('the cleaner', () => {
  test('cleans at its start, counts, and says what it freed and why', async () => {
    file(pod('Demo.Hello.log.1'), { ageMs: 9 * dayMs })
    const { counts } = await start()
    await eventually(() => counts.sweeps === 1, 'first sweep')
    expect(counts).toMatchObject({ removed: 1, freedBytes: { age: block } })
    expect(JSON.parse(lines.find((line) => line.includes('logs cleaned')) ?? '{}')).toMatchObject({ removed: 1, freedBytes: block, why: { age: block, quota: 0, cores: 0 } })
  })

  test('says when the folder of all logs is missing, and cleans once it is there', async () => {
    rmSync(logs, { recursive: true })
    writeFileSync(join(rulesFolder, 'cleaning.yaml'), 'every: 1s')
    const { counts } = await start()
    await eventually(() => lines.some((line) => line.includes('cannot be opened') && line.includes('TARSAGENT_LOGS')), 'complaint')
    file(pod('Demo.Hello.log.1'), { ageMs: 9 * dayMs })
    await eventually(() => counts.removed === 1, 'sweep')
  })

  test('takes new rules as a mounted ConfigMap brings them, and keeps the last good ones when new ones are bad', async () => {
    // The kubelet's way: files are links through ..data, which is replaced by a rename.
    const publish = (version: string, files: Record<string, string>): void => {
      mkdirSync(join(rulesFolder, `..${version}`))
      for (const [name, text] of Object.entries(files)) writeFileSync(join(rulesFolder, `..${version}`, name), text)
      symlinkSync(`..${version}`, join(rulesFolder, '..data_tmp'))
      renameSync(join(rulesFolder, '..data_tmp'), join(rulesFolder, '..data'))
    }
    publish('1', { 'cleaning.yaml': 'logs: {maxAge: 5d}' })
    symlinkSync('..data/cleaning.yaml', join(rulesFolder, 'cleaning.yaml'))
    const cleaner = await start()
    await eventually(() => cleaner.counts.sweeps === 1, 'first sweep')
    file(pod('Demo.Hello.log.1'), { ageMs: 3 * dayMs })
    publish('2', { 'cleaning.yaml': 'logs: {maxAge: 2d}' })
    await eventually(() => cleaner.counts.removed === 1, 'the new rules')
    publish('3', { 'cleaning.yaml': 'logs: {maxAge: soon}' })
    await eventually(() => !cleaner.rulesGood, 'the bad rules are noticed')
    expect(lines.filter((line) => line.includes('bad rules, the last good ones stay in force') && line.includes('logs.maxAge is \\"soon\\"'))).toHaveLength(1)
    file(pod('Demo.Hello.log.1'), { ageMs: 3 * dayMs })
    publish('4', { 'cleaning.yaml': 'logs: {maxAge: 1d}' })
    await eventually(() => cleaner.rulesGood && cleaner.counts.removed === 2, 'good rules again')
  })

  test('runs the commands of crontab.config at their times, tells of those that fail, and forgets those that are gone', async () => {
    writeFileSync(join(rulesFolder, 'crontab.config'), `* * * * * * echo ran >> ${root}/ran\n* * * * * * echo why; exit 3\n`)
    const { counts } = await start()
    await eventually(() => existsSync(join(root, 'ran')) && counts.commandFailures > 0, 'both commands')
    expect(JSON.parse(lines.find((line) => line.includes('crontab.config failed')) ?? '{}')).toMatchObject({ line: 2, outcome: 'exit code 3', output: 'why' })
    unlinkSync(join(rulesFolder, 'crontab.config'))
    await eventually(() => lines.some((line) => line.includes('"present":false')), 'no rules')
    writeFileSync(join(rulesFolder, 'crontab.config'), `* * * * * * echo x >> ${root}/other\n`)
    const otherRan = (times: number): Promise<true> => eventually(() => existsSync(join(root, 'other')) && statSync(join(root, 'other')).size >= 2 * times, `the other rule ran ${times} times`)
    await otherRan(1)
    rmSync(join(root, 'ran'))
    await otherRan(2)
    expect(existsSync(join(root, 'ran'))).toBe(false)
  })

  test('ends a command that takes too long, with all that it started', async () => {
    writeFileSync(join(rulesFolder, 'crontab.config'), `* * * * * * sh -c 'echo $$ > ${root}/pid; exec sleep 1000' & wait`)
    const { counts } = await start({ commandMs: 2000 })
    const started = await eventually(() => Number(readIfThere(() => readFileSync(join(root, 'pid'), 'utf8'))), 'what it started')
    await eventually(() => counts.commandFailures > 0, 'the end')
    expect(lines.join('')).toContain('not ended within 2000 ms')
    await eventually(() => readIfThere(() => readFileSync(`/proc/${started}/stat`, 'utf8'))?.includes(') Z ') !== false, 'the end of what it started')
  })

  test('rules that are bad from the start remove nothing until they are mended', async () => {
    const old = file(pod('Demo.Hello.log.1'), { ageMs: 9 * dayMs })
    writeFileSync(join(rulesFolder, 'cleaning.yaml'), 'logs: {maxAge: 30d, qouta: 1Gi}')
    const cleaner = await start()
    expect(cleaner.rulesGood).toBe(false)
    expect(cleaner.counts.sweeps).toBe(0)
    writeFileSync(join(rulesFolder, 'cleaning.yaml'), 'logs: {maxAge: 30d, quota: 1Gi}')
    await eventually(() => cleaner.counts.sweeps === 1, 'a sweep')
    expect(existsSync(old)).toBe(true)
  })

  test('a bad crontab.config does not keep the other rules from their work', async () => {
    file(pod('Demo.Hello.log.1'), { ageMs: 9 * dayMs })
    writeFileSync(join(rulesFolder, 'crontab.config'), 'every day at noon\n')
    const cleaner = await start()
    await eventually(() => cleaner.counts.removed === 1, 'sweep')
    expect(cleaner.rulesGood).toBe(false)
    expect(lines.join('')).toContain('crontab.config, line 1')
  })
})
