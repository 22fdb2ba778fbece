// tarslog on real sockets and real files.
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createLogger, silentLogger } from '#base/log.ts'
import { Writer } from '#tars/codec/writer.ts'
import { Communicator } from '#tars/client.ts'
import type { FunctionCodec } from '#tars/idl/interface.ts'
import { createLogInfo, Log, type LogInfo, type LogProxy, writeLogInfo } from '#tars/protocol/LogF.ts'
import { LogView, type LogViewProxy } from '#tars/protocol/LogView.ts'
import { LogFiles } from '../../framework/log/files/log-files.ts'
import { sweep, type Keeping } from '../../framework/log/files/sweep.ts'
import { startLog, type LogOptions, type RunningLog } from '../../framework/log/log.ts'
import { Disks } from '../rig/disks.ts'

let folder: string
let running: RunningLog
let log: LogProxy
const communicator = new Communicator({ timeoutMs: 60_000 })
/** Wall and monotonic time of the server: 2026-03-05 12:00 in whatever zone. */
let nowMs = new Date(2026, 2, 5, 12).getTime()
const clock = { now: () => nowMs, monotonic: () => nowMs }
const never: Keeping = { maxAgeMs: Infinity, gzipAgeMs: Infinity, maxBytes: Infinity }

const start = async (more: Partial<LogOptions> = {}): Promise<RunningLog> =>
  startLog({ address: '127.0.0.1', ports: { log: 0, topology: 0 }, path: join(folder, 'logs'), data: join(folder, 'index'), namesNode: true, conf: undefined, keeping: never, traceDays: 7, openFiles: 512, otlp: undefined, healthPort: undefined, clock, log: silentLogger, ...more })
const nameOf = ({ ports }: RunningLog) => `tars.tarslog.LogObj@tcp -h 127.0.0.1 -p ${ports.log}`
const proxyOf = (one: RunningLog) => communicator.proxy<LogProxy>(Log, nameOf(one))

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-log-'))
  running = await start()
  log = proxyOf(running)
})
afterAll(async () => {
  await communicator.close()
  await running?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** How many files of this process have this in their path. */
const openFiles = (part: string): number => readdirSync('/proc/self/fd').filter((fd) => {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).includes(part)
  } catch {
    return false
  }
}).length

const info = (given: Partial<LogInfo> = {}) => createLogInfo({ appname: 'App', servername: 'Server', sFormat: '%Y%m%d', ...given })
const textOf = (path: string) => readFile(join(folder, 'logs', path), 'utf8')

describe('what is kept is shown (10.1)', () => {
  const view = () => communicator.proxy<LogViewProxy>(LogView, `tars.tarslog.LogViewObj@tcp -h 127.0.0.1 -p ${running.ports.topology}`)
  const put = async (path: string, bytes: string | Buffer, seconds: number): Promise<void> => {
    const file = join(folder, 'logs', path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, bytes)
    await utimes(file, seconds, seconds)
  }
  const numbers = (count: number): string => Array.from({ length: count }, (_, index) => `line ${index}\n`).join('')

  test('a server\'s logs, those of its sets among them, the newest first', async () => {
    await put('Shown/Server/old.log', 'x\n', 1)
    await put('Shown/mallsz1/Server/Shown.Server.log', numbers(9), 3)
    await put('Shown/Server/other.log', 'x\n', 2)
    await put('Shown/Other/foreign.log', 'x\n', 2)
    expect(await view().getLogFileList('Shown', 'Server')).toEqual({ return: 0, logFileList: ['mallsz1/Shown.Server.log', 'other.log', 'old.log'] })
    expect(await view().getLogData('Shown', 'Server', 'mallsz1/Shown.Server.log', 'tail -3 x | grep -a line | head -1')).toEqual({ return: 0, fileData: 'line 6\n' })
    expect(await view().getLogFileList('No', 'Such')).toEqual({ return: 0, logFileList: [] })
  })

  test.each(['Looped/Server', 'Other/Looped'])('that %s cannot be read is said: to who asks by the code, and why in the log', async (path) => {
    const lines: string[] = []
    const one = await start({ path: join(folder, 'loops'), data: ':memory:', log: createLogger({ write: (line) => void lines.push(line) }) })
    onTestFinished(() => one.stop())
    const loop = join(folder, 'loops', path.startsWith('Looped') ? 'Looped' : path)
    await mkdir(dirname(loop), { recursive: true })
    await symlink(loop, loop)
    const [app = '', server = ''] = path.split('/')
    const { getLogFileList } = communicator.proxy<LogViewProxy>(LogView, `tars.tarslog.LogViewObj@tcp -h 127.0.0.1 -p ${one.ports.topology}`)
    expect(await getLogFileList(app, server)).toEqual({ return: -1, logFileList: [] })
    expect(lines.filter((line) => line.includes('cannot be listed'))).toEqual([expect.stringMatching(new RegExp(`${app}\\.${server}.*ELOOP`))])
    expect(await getLogFileList(app, 'Missing')).toEqual({ return: app === 'Looped' ? -1 : 0, logFileList: [] })
  })

  test.each(['../Other/foreign.log', '../../Shown/Other/foreign.log', '/etc/passwd', '.', '..', ''])('not %j', async (name) => {
    expect(await view().getLogData('Shown', 'Server', name, 'tail -3 x')).toEqual({ return: -1, fileData: expect.stringContaining('there is no log file') })
  })

  test('both ends of one that was compressed, however long it is', async () => {
    const many = 1_000_000
    await put('Shown/Long/long.log.gz', gzipSync(numbers(many)), 1)
    expect((await view().getLogData('Shown', 'Long', 'long.log.gz', 'tail -2 x')).fileData).toBe(`line ${many - 2}\nline ${many - 1}\n`)
    expect((await view().getLogData('Shown', 'Long', 'long.log.gz', 'head -2 x')).fileData).toBe('line 0\nline 1\n')
    expect((await view().getLogData('Shown', 'Long', 'long.log.gz', 'tail -50000 x | grep -a 950001')).fileData).toBe('line 950001\n')
    // However many ask, two are read at once, as those who write wait for the same threads.
    const answers = Promise.all(Array.from({ length: 8 }, () => view().getLogData('Shown', 'Long', 'long.log.gz', 'tail -1 x')))
    let [open, ended] = [0, false]
    void answers.finally(() => (ended = true))
    for (; !ended; await new Promise((resolve) => setImmediate(resolve))) open = Math.max(open, openFiles('long.log.gz'))
    expect([open, (await answers).map(({ fileData }) => fileData)]).toEqual([2, Array.from({ length: 8 }, () => `line ${many - 1}\n`)])
    await put('Shown/Long/bad.log.gz', 'no gzip', 1)
    expect((await view().getLogData('Shown', 'Long', 'bad.log.gz', 'tail -2 x')).return).toBe(-1)
  })
})

describe('lines (4.2)', () => {
  test('logger: who wrote it, then what was sent, unchanged', async () => {
    await log.logger('App', 'Server', 'plain', '%Y%m%d', ['one\n', 'two', '', 'three\n'])
    expect(await textOf('App/Server/App.Server_plain_20260305.log')).toBe('127.0.0.1|one\n127.0.0.1|two127.0.0.1|127.0.0.1|three\n')
  })

  test('loggerbyInfo: its own separator, and the name that the caller gives itself (0.2)', async () => {
    await log.loggerbyInfo(info({ sFilename: 'named', sSepar: '#' }), ['x\n'], { context: { node_name: 'app-server-0.app-server' } })
    expect(await textOf('App/Server/App.Server_named_20260305.log')).toBe('app-server-0.app-server#x\n')
  })

  test('without ipfix nothing is added, but to lines of traces, whose fields are counted (4.4)', async () => {
    const bare = await start({ namesNode: false, path: join(folder, 'bare'), data: join(folder, 'index-bare') })
    onTestFinished(() => bare.stop())
    await proxyOf(bare).logger('App', 'Server', '', '%Y%m%d', ['x\n'])
    expect(readFileSync(join(folder, 'bare/App/Server/App.Server_20260305.log'), 'utf8')).toBe('x\n')
    await proxyOf(bare).loggerbyInfo(info({ sFilename: '_t_trace_' }), ['x\n'])
    expect(readFileSync(join(folder, 'bare/_tars_/_trace_/_tars_._trace___t_trace__20260305.log'), 'utf8')).toBe('127.0.0.1|App|Server|x\n')
  })

  test.each([1, 3, 5] as const)('an answer says that it is in the file, version %i', async (version) => {
    await log.loggerbyInfo(info({ sFilename: `v${version}` }), ['x\n'], { version })
    expect(await textOf(`App/Server/App.Server_v${version}_20260305.log`)).toBe('127.0.0.1|x\n')
  })

  test.each([1, 3] as const)('bytes that are no UTF-8 are kept, version %i', async (version) => {
    const gbk = Buffer.from([0xc8, 0xd5, 0xd6, 0xbe, 0x0a])
    // The generated codec would turn them into text.
    const writeLines = (w: Writer, tag: number): void => {
      w.beginList(tag, 1)
      const body = Buffer.concat([Buffer.from([0x06, gbk.length]), gbk])
      w.writeRaw(body)
    }
    const plain = Log.functions['loggerbyInfo'] as FunctionCodec
    const codec: FunctionCodec = {
      ...plain,
      writeArgs: (w) => (writeLogInfo(w, 1, info({ sFilename: `gbk${version}` })), writeLines(w, 2)),
      writeArgsTup(args) {
        const w = new Writer(64)
        writeLines(w, 0)
        return plain.writeArgsTup(args).set('buffer', w.take(0))
      },
    }
    await communicator.invoke(nameOf(running), codec, [info({ sFilename: `gbk${version}` }), []], { version })
    expect(readFileSync(join(folder, `logs/App/Server/App.Server_gbk${version}_20260305.log`))).toEqual(Buffer.concat([Buffer.from('127.0.0.1|'), gbk]))
  })

  test('many writers of one file: every line whole, those of each in order', async () => {
    const writers = Array.from({ length: 8 }, (_, writer) => (async () => {
      for (let line = 0; line < 40; line++) await log.loggerbyInfo(info({ sFilename: 'many' }), [`${writer}-${line}-${'x'.repeat(500)}\n`])
    })())
    await Promise.all(writers)
    const lines = (await textOf('App/Server/App.Server_many_20260305.log')).trimEnd().split('\n')
    expect(lines).toHaveLength(320)
    for (let writer = 0; writer < 8; writer++) {
      expect(lines.filter((line) => line.startsWith(`127.0.0.1|${writer}-`)).map((line) => Number(line.split('-')[1]))).toEqual(Array.from({ length: 40 }, (_, line) => line))
    }
  })
})

describe('files', () => {
  test('the next day is another file (4.3)', async () => {
    await log.loggerbyInfo(info({ sFilename: 'daily' }), ['a\n'])
    nowMs += 86_400_000
    await log.loggerbyInfo(info({ sFilename: 'daily' }), ['b\n'])
    nowMs -= 86_400_000
    expect([await textOf('App/Server/App.Server_daily_20260305.log'), await textOf('App/Server/App.Server_daily_20260306.log')]).toEqual(['127.0.0.1|a\n', '127.0.0.1|b\n'])
  })

  test('one that is moved away comes back after ten seconds (4.3)', async () => {
    const path = join(folder, 'logs/App/Server/App.Server_moved_20260305.log')
    const write = (text: string) => log.loggerbyInfo(info({ sFilename: 'moved' }), [text])
    await write('a\n')
    await rename(path, `${path}.old`)
    await write('b\n')
    nowMs += 10_000
    await write('c\n')
    expect([readFileSync(`${path}.old`, 'utf8'), readFileSync(path, 'utf8')]).toEqual(['127.0.0.1|a\n127.0.0.1|b\n', '127.0.0.1|c\n'])
  })

  test('few are open, however many are written', async () => {
    const few = await start({ path: join(folder, 'few'), data: join(folder, 'index-few'), openFiles: 10 })
    onTestFinished(() => few.stop())
    const proxy = proxyOf(few)
    for (let round = 0; round < 2; round++) for (let index = 0; index < 60; index++) await proxy.logger('App', 'Server', `f${index}`, '%Y%m%d', [`${round}\n`])
    const open = openFiles(join(folder, 'few'))
    expect(open).toBeGreaterThan(0)
    expect(open).toBeLessThanOrEqual(11)
    for (let index = 0; index < 60; index++) expect(readFileSync(join(folder, `few/App/Server/App.Server_f${index}_20260305.log`), 'utf8')).toBe('127.0.0.1|0\n127.0.0.1|1\n')
  })

  test('names that lead elsewhere do not', async () => {
    await log.logger('../../../..', '..', '/../../escaped', '../%Y', ['x\n'])
    expect(existsSync(join(folder, 'escaped_../2026.log'))).toBe(false)
    expect((await readdir(join(folder, 'logs', '_._.._.._..', '__')))).toEqual(['.._.._.._.....__.._.._escaped_.._2026.log'])
  })

  test('a format that is longer than any file name is none', async () => {
    await log.logger('App', 'Server', 'long', `%Y${'x'.repeat(254)}`, ['x\n'])
    await log.loggerbyInfo(info({ sFilename: 'long', sFormat: '%F'.repeat(128), sLogType: 'hour' }), ['y\n'])
    expect((await readdir(join(folder, 'logs/App/Server'))).filter((name) => name.includes('_long_'))).toEqual(['App.Server_long_20260305.log', expect.stringMatching(/^App\.Server_long_20260305\d\d\.log$/)])
  })

  test('types of the same length go by their own formats', async () => {
    for (const sLogType of ['day', '24hour']) await log.loggerbyInfo(info({ sFilename: 'alike', sFormat: '', sLogType }), [`${sLogType}\n`])
    expect((await readdir(join(folder, 'logs/App/Server'))).filter((name) => name.includes('_alike_')).sort()).toEqual([expect.stringMatching(/_alike_\d{8}\.log$/), expect.stringMatching(/_alike_\d{10}\.log$/)])
  })

  test('what cannot be written is refused, so that the caller keeps it', async () => {
    await mkdir(join(folder, 'logs/App/Server/App.Server_dir_20260305.log'), { recursive: true })
    await expect(log.loggerbyInfo(info({ sFilename: 'dir' }), ['x\n'])).rejects.toThrow(/App\.Server_dir_20260305\.log cannot be written/)
    await log.loggerbyInfo(info({ sFilename: 'after' }), ['x\n'])
  })

  test.each([0, Infinity])('what comes at once stands in the order in which it came, little and much, while the file is opened and later, written here from %d bytes a second', async (busyAt) => {
    const files = new LogFiles({ root: join(folder, `order-${busyAt}`), clock, busyAt })
    const pieces = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter, index) => letter.repeat(index % 3 === 1 ? 200_000 : 10))
    for (let round = 0; round < 2; round++) await Promise.all(pieces.map((piece) => files.append('x.log', Buffer.from(piece))))
    await files.stop()
    expect(readFileSync(join(folder, `order-${busyAt}/x.log`), 'utf8')).toBe(pieces.join('').repeat(2))
  })

  test('no more of them are begun than may, and those that are there are written', async () => {
    const files = new LogFiles({ root: join(folder, 'begun'), clock, maxOpen: 1 })
    let left = 2
    const write = (name: string): Promise<void> => files.append(`${name}.log`, Buffer.from('x'), () => left-- > 0)
    await write('a')
    await write('b')
    await expect(write('c')).rejects.toThrow('c.log cannot be written')
    await write('a')
    await write('b')
    expect(left).toBe(-1)
    await files.stop()
  })

  test('one server begins a thousand in ten minutes, whatever names it makes up, and others theirs', async () => {
    const own = await start({ path: join(folder, 'many'), data: join(folder, 'index-many') })
    onTestFinished(() => own.stop())
    const proxy = proxyOf(own)
    const write = (index: number): Promise<unknown> => proxy.logger('Evil', 'Pod', `f${index}`, '%Y', ['x\n']).then(() => undefined, (error: unknown) => error)
    const answers = await Promise.all(Array.from({ length: 1003 }, (_, index) => write(index)))
    expect(answers.filter((answer) => answer !== undefined)).toHaveLength(3)
    await proxy.logger('Mall', 'Shop', '', '%Y', ['x\n'])
    await write(0)
    nowMs += 600_000
    expect(await write(1003)).toBe(undefined)
    nowMs -= 600_000
  })

  test('what waits is bounded', async () => {
    const files = new LogFiles({ root: join(folder, 'bounded'), clock, maxWaiting: 100 })
    const writes = await Promise.allSettled(['a', 'b', 'c'].map((name) => files.append(`${name}.log`, Buffer.alloc(60))))
    expect(writes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    await files.append('b.log', Buffer.alloc(60))
    await files.stop()
    expect((await stat(join(folder, 'bounded/b.log'))).size).toBe(60)
  })

  test('lines without an end stay so, also when their file is opened anew', async () => {
    const files = new LogFiles({ root: join(folder, 'endless'), clock, maxOpen: 1 })
    for (const [name, text] of [['a', '1'], ['b', '2'], ['a', '3']] as const) await files.append(`${name}.log`, Buffer.from(text))
    await files.stop()
    expect(readFileSync(join(folder, 'endless/a.log'), 'utf8')).toBe('13')
  })

  test('settings of the server count when the file changes, and a bad file does not (4.3)', async () => {
    const conf = join(folder, 'tarslog.conf')
    await writeFile(conf, '<tars>\n<log>\n<format>\nhour=App.Server\n</format>\n<logtype>\n10minute=App.Server.typed|App.Other.typed\nnone=App.Other.x\n</logtype>\n</log>\n</tars>')
    const own = await start({ path: join(folder, 'conf'), data: join(folder, 'index-conf'), conf })
    onTestFinished(() => own.stop())
    const proxy = proxyOf(own)
    await proxy.logger('App', 'Server', 'x', '%Y%m%d', ['x\n'])
    await proxy.loggerbyInfo(info({ sFilename: 'x' }), ['x\n'])
    await proxy.loggerbyInfo(info({ sFilename: 'typed' }), ['x\n'])
    await proxy.loggerbyInfo(info({ servername: 'Other', sFilename: 'x', sLogType: 'hour', sFormat: '' }), ['x\n'])
    // A type is one of loggerbyInfo.
    await proxy.logger('App', 'Other', 'typed', '%Y%m%d', ['x\n'])
    expect((await readdir(join(folder, 'conf/App'), { recursive: true })).toSorted()).toEqual(['Other', 'Other/App.Other_typed_20260305.log', 'Other/App.Other_x_2026030512.log', 'Server', 'Server/App.Server_typed_202603051200.log', 'Server/App.Server_x_2026030512.log'])
  })
})

describe('old logs', () => {
  const dayMs = 86_400_000
  async function filled(files: Readonly<Record<string, { readonly days: number; readonly text?: string }>>): Promise<string> {
    const root = await mkdtemp(join(folder, 'old-'))
    for (const [path, { days, text = 'text\n' }] of Object.entries(files)) {
      await mkdir(join(root, path, '..'), { recursive: true })
      await writeFile(join(root, path), text)
      const time = (nowMs - days * dayMs) / 1000
      await utimes(join(root, path), time, time)
    }
    return root
  }
  const passOver = (root: string, keeping: Partial<Keeping>, isBusy: (path: string) => boolean = () => false, isApp: (name: string) => boolean = () => true, maxFiles = 1_000_000) =>
    sweep({ maxFiles, root, keeping: { ...never, ...keeping }, now: nowMs, isLog: (path) => !path.includes('.index'), isBusy, isApp, log: silentLogger, signal: new AbortController().signal })
  const left = async (root: string) => (await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)).toSorted()

  test('are compressed, then removed', async () => {
    const root = await filled({ 'A/B/new.log': { days: 0 }, 'A/B/older.log': { days: 3 }, 'A/B/old.log': { days: 31 }, 'A/B/cut-off.log.gz.part': { days: 0 } })
    expect(await passOver(root, { maxAgeMs: 30 * dayMs, gzipAgeMs: 2 * dayMs })).toEqual({ removed: 1, compressed: 1 })
    expect(await left(root)).toEqual(['A/B/new.log', 'A/B/older.log.gz'])
    expect(gunzipSync(readFileSync(join(root, 'A/B/older.log.gz'))).toString()).toBe('text\n')
    // As old as before, so that its time comes.
    expect(nowMs - (await stat(join(root, 'A/B/older.log.gz'))).mtimeMs).toBeGreaterThan(2.9 * dayMs)
    expect(await passOver(root, { maxAgeMs: 30 * dayMs, gzipAgeMs: 2 * dayMs })).toEqual({ removed: 0, compressed: 0 })
  })

  test('that are written stay; what comes late joins what was compressed', async () => {
    const root = await filled({ 'x.log': { days: 3, text: 'one\n' } })
    expect(await passOver(root, { maxAgeMs: dayMs, gzipAgeMs: dayMs }, () => true)).toEqual({ removed: 0, compressed: 0 })
    await passOver(root, { gzipAgeMs: dayMs })
    await writeFile(join(root, 'x.log'), 'late\n')
    await utimes(join(root, 'x.log'), 0, 0)
    await passOver(root, { gzipAgeMs: dayMs })
    expect(await left(root)).toEqual(['x.log.gz'])
    expect(gunzipSync(readFileSync(join(root, 'x.log.gz'))).toString()).toBe('one\nlate\n')
  })

  test('go from the oldest on when all are too much', async () => {
    const root = await filled({ 'a.log': { days: 3, text: 'x'.repeat(40) }, 'b.log': { days: 1, text: 'x'.repeat(40) }, 'c.log': { days: 2, text: 'x'.repeat(40) } })
    expect(await passOver(root, { maxBytes: 90 })).toEqual({ removed: 1, compressed: 0 })
    expect(await left(root)).toEqual(['b.log', 'c.log'])
  })

  test('beyond the quota the application that has most loses its oldest, however old those of others are', async () => {
    const root = join(folder, 'fair')
    const put = async (path: string, bytes: number, age: number): Promise<void> => {
      await mkdir(join(root, path, '..'), { recursive: true })
      await writeFile(join(root, path), Buffer.alloc(bytes))
      const at = nowMs / 1000 - age
      await utimes(join(root, path), at, at)
    }
    await put('Quiet/Server/old', 30, 10_000)
    for (let index = 0; index < 9; index++) await put(`Loud/Server${index % 2}/f${index}`, 30, 100 - index)
    await passOver(root, { maxBytes: 90 })
    expect((await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map(({ name }) => name).toSorted()).toEqual(['f7', 'f8', 'old'])
  })

  test('beyond the quota what is written under many made-up names goes before those of an application that has more than each of them', async () => {
    const made = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`Made${index}/Up/f`, { days: 1, text: 'x'.repeat(30) }]))
    const root = await filled({ ...made, 'Mall/Shop/old': { days: 9, text: 'x'.repeat(60) } })
    await passOver(root, { maxBytes: 90 }, () => false, (name) => name === 'Mall')
    expect([(await left(root)).length, (await left(root)).at(0)]).toEqual([2, expect.stringContaining('Made')])
    expect(await left(root)).toContain('Mall/Shop/old')
  })

  test('beyond the quota one that has most, and is being written, keeps nobody from losing what is too much', async () => {
    const root = await filled({ 'Most/S/busy.1': { days: 0, text: 'x'.repeat(100) }, 'Loud/S/a': { days: 2, text: 'x'.repeat(30) }, 'Loud/S/b': { days: 1, text: 'x'.repeat(30) } })
    await passOver(root, { maxBytes: 140 }, (path) => path.includes('busy'))
    expect(await left(root)).toEqual(['Loud/S/b', 'Most/S/busy.1'])
  })

  test('have what the index leaves of the quota, which stays where it is however large it becomes', async () => {
    const root = await filled({ '.index/traces.sqlite': { days: 0, text: 'x'.repeat(100) }, 'A/S/a': { days: 2, text: 'x'.repeat(30) }, 'A/S/b': { days: 1, text: 'x'.repeat(30) } })
    await passOver(root, { maxBytes: 140, maxAgeMs: 3 * dayMs })
    expect(await left(root)).toEqual(['.index/traces.sqlite', 'A/S/b'])
  })

  test('many that are small are too much as few that are large, and the folders that they leave empty go', async () => {
    const small = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`Loud/S${index}/f`, { days: 3 + index, text: 'x' }]))
    const root = await filled({ ...small, 'Mall/Shop/f': { days: 20, text: 'x' } })
    await utimes(join(root, 'Mall'), 0, 0)
    for (const name of await readdir(join(root, 'Loud'))) await utimes(join(root, 'Loud', name), 0, 0)
    await passOver(root, { maxBytes: 1000 }, () => false, () => true, 10)
    expect(await left(root)).toEqual([...Array.from({ length: 9 }, (_, index) => `Loud/S${index}/f`), 'Mall/Shop/f'])
    // The three were changed just now.
    expect((await readdir(join(root, 'Loud'))).length).toBe(12)
    for (const name of await readdir(join(root, 'Loud'))) await utimes(join(root, 'Loud', name), 0, 0)
    await passOver(root, {})
    expect((await readdir(join(root, 'Loud'))).length).toBe(9)
  })

  test('a flood is put away while it comes', async () => {
    const path = join(folder, 'flood')
    const own = await start({ path, data: join(folder, 'flood-index'), keeping: { ...never, maxBytes: 1 << 20 } })
    onTestFinished(() => own.stop())
    const to = proxyOf(own)
    await to.logger('Quiet', 'Server', 'f', '%Y', ['kept\n'])
    for (let index = 0; index < 40; index++) await to.logger('Loud', 'Server', `f${index}`, '%Y', ['x'.repeat(200_000)])
    await expect.poll(async () => (await readdir(join(path, 'Loud/Server'))).length).toBeLessThan(20)
    expect(await readdir(join(path, 'Quiet/Server'))).toHaveLength(1)
  })

  test('a flood into one log costs that log its older lines, not its latest and not those of others', async () => {
    const path = join(folder, 'one-flood')
    const own = await start({ path, data: join(folder, 'one-flood-index'), keeping: { ...never, maxBytes: 1 << 20 } })
    onTestFinished(() => own.stop())
    const to = proxyOf(own)
    await to.logger('Quiet', 'Server', 'f', '%Y', ['kept\n'])
    for (let index = 0; index < 40; index++) {
      await to.logger('Loud', 'Server', 'f', '%Y', [`${'x'.repeat(200_000)}${index}\n`])
      await own.sweep()
    }
    const files = (await readdir(join(path, 'Loud/Server'))).map((name) => join(path, 'Loud/Server', name))
    expect(files.reduce((sum, file) => sum + statSync(file).size, 0)).toBeLessThan(1.5 * (1 << 20))
    expect(files.some((file) => readFileSync(file, 'utf8').endsWith('x39\n'))).toBe(true)
    expect(await readdir(join(path, 'Quiet/Server'))).toHaveLength(1)
  })

  test('without a quota a fifth of the disk stays free', async () => {
    const root = await mkdtemp(join(folder, 'disk-'))
    const disks = await Disks.mount(root, { log: 10 })
    onTestFinished(() => disks.unmount())
    const at = disks.outside('log')
    for (let index = 0; index < 9; index++) {
      await writeFile(join(at, `f${index}`), Buffer.alloc(1 << 20))
      await utimes(join(at, `f${index}`), index, index)
    }
    await passOver(at, { maxBytes: undefined })
    expect(disks.files('log').toSorted()).toEqual(Array.from({ length: 8 }, (_, index) => `f${index + 1}`))
  })

  test('nothing written while a pass goes on is lost', async () => {
    const root = await mkdtemp(join(folder, 'race-'))
    const files = new LogFiles({ root, clock: { now: () => Date.now(), monotonic: () => performance.now() } })
    let written = 0
    let passing = true
    const passes = (async () => {
      while (passing) await sweep({ root, keeping: { ...never, gzipAgeMs: 0 }, now: Date.now() + 1000, isLog: () => true, isBusy: (path) => files.isBusy(path), isApp: () => true, log: silentLogger, signal: new AbortController().signal })
    })()
    for (; written < 300; written++) await files.append('busy.log', Buffer.from(`${written}\n`))
    passing = false
    await passes
    await files.stop()
    const packed = existsSync(join(root, 'busy.log.gz')) ? gunzipSync(readFileSync(join(root, 'busy.log.gz'))).toString() : ''
    const plain = existsSync(join(root, 'busy.log')) ? readFileSync(join(root, 'busy.log'), 'utf8') : ''
    expect((packed + plain).trimEnd().split('\n').map(Number)).toEqual(Array.from({ length: written }, (_, index) => index))
  })

  test('of the server are found by itself, its index left alone, also by who names an application as it', async () => {
    const own = await start({ path: join(folder, 'swept'), data: join(folder, 'swept/.index'), keeping: { ...never, maxAgeMs: dayMs } })
    onTestFinished(() => own.stop())
    await proxyOf(own).logger('App', 'Server', '', '%Y%m%d', ['x\n'])
    for (const app of ['.index', '.index2']) await proxyOf(own).logger(app, 'traces.sqlite-wal', '', '%Y', ['x\n'])
    const path = join(folder, 'swept/App/Server/App.Server_20260305.log')
    const made = ['', '2'].map((more) => join(folder, `swept/_index${more}/traces.sqlite-wal/.index${more}.traces.sqlite-wal_2026.log`))
    for (const old of [path, ...made, join(folder, 'swept/.index/traces.sqlite')]) await utimes(old, 0, 0)
    await own.sweep()
    expect([path, ...made, join(folder, 'swept/.index/traces.sqlite')].map((file) => existsSync(file))).toEqual([false, false, false, true])
    await proxyOf(own).logger('App', 'Server', '', '%Y%m%d', ['y\n'])
    expect(readFileSync(path, 'utf8')).toBe('127.0.0.1|y\n')
  })
})

test('a folder that cannot be written to is refused by name', async () => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  await chmod(file, 0o400)
  await expect(start({ path: join(file, 'below') })).rejects.toThrow(/logs cannot be kept in .*file\/below.*/)
  await expect(start({ data: join(file, 'below') })).rejects.toThrow(/traces cannot be kept in .*file\/below/)
})
