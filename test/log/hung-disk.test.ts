// A disk that hangs: what is written to it is taken no more, and fails no more either.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { Communicator, type Pingable } from '#tars/client.ts'
import { ret } from '#tars/packet.ts'
import { createLogInfo, Log, type LogProxy } from '#tars/protocol/LogF.ts'
import { Topology, type TopologyProxy } from '#tars/protocol/Topology.ts'
import { Disks } from '../rig/disks.ts'

const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-hung-'))
const disks = await Disks.freezable(folder, 'log', 256)
afterAll(async () => {
  await disks.unmount()
  await rm(folder, { recursive: true, force: true })
})

/** `tarsk8s log` as a process of its own, whose logs are on the disk. */
async function start() {
  const main = join(import.meta.dirname, '../../framework/main.ts')
  const env = { ...process.env, PodIP: '127.0.0.1', TARS_CALLERS: 'off', TARSLOG_PORT: '0', TARSLOG_TOPOLOGY_PORT: '0', TARSLOG_HEALTH_PORT: '0', TARSLOG_PATH: disks.inside('log'), TARSLOG_DATA: join(folder, 'index') }
  const [program, ...words] = disks.within
  const child = spawn(program, [...words, process.execPath, '--disable-warning=ExperimentalWarning', main, 'log'], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  for await (const line of createInterface({ input: child.stderr })) {
    const said = JSON.parse(line) as { readonly message?: string; readonly log: number; readonly topology: number; readonly health: number }
    if (said.message === 'log serves') return said
  }
  throw new Error('tarslog ended before it served')
}

test('all else goes on, so much waits and the rest is refused as overload, and metrics say since when; what waited is written once it can be', async () => {
  // Who writes holds back once it is refused.
  const [writer, other] = [new Communicator({ timeoutMs: 60_000 }), new Communicator({ timeoutMs: 60_000 })]
  onTestFinished(() => Promise.all([writer.close(), other.close()]).then(() => {}))
  const ports = await start()
  const logOf = (communicator: Communicator) => communicator.proxy<LogProxy & Pingable>(Log, `tars.tarslog.LogObj@tcp -h 127.0.0.1 -p ${ports.log}`)
  const log = logOf(writer)
  const topology = other.proxy<TopologyProxy>(Topology, `tars.tarslog.TopologyObj@tcp -h 127.0.0.1 -p ${ports.topology}`)
  const get = async (path: string): Promise<string> => (await fetch(`http://127.0.0.1:${ports.health}${path}`)).text()
  const metric = async (name: string): Promise<number> => Number(new RegExp(`^tarslog_${name} (\\S+)$`, 'm').exec(await get('/metrics'))?.[1])
  const write = (file: string, text: string): Promise<void> => log.loggerbyInfo(createLogInfo({ appname: 'A', servername: 'B', sFilename: file, sFormat: 'f', bHasAppNamePrefix: false }), [`${text}\n`])
  const files = ['a', 'b', 'c', 'd', 'e', 'f']
  for (const file of files) await write(file, 'before')
  expect(await metric('oldest_write_seconds')).toBe(0)
  disks.freeze('log')
  onTestFinished(() => disks.thaw('log'))
  let answered = 0
  const held = files.map((file) => write(file, 'held').then(() => answered++))
  const large = 'x'.repeat(4 << 20)
  const refused = Promise.withResolvers<unknown>()
  const more = Array.from({ length: 17 }, (_, index) => write(files[index % files.length] ?? '', large).then(() => answered++, (error: unknown) => refused.resolve(error)))
  expect(await refused.promise).toMatchObject({ ret: ret.overload })
  await logOf(other).tars_ping()
  expect((await topology.listTrace('20260305', 'A.B')).return).toBe(0)
  expect(await get('/livez')).toBe('ok\n')
  const [waiting, seconds] = [await metric('waiting_bytes'), await metric('oldest_write_seconds')]
  expect(waiting).toBeGreaterThan(60 << 20)
  expect(waiting).toBeLessThanOrEqual(64 << 20)
  expect(seconds).toBeGreaterThan(0)
  expect(answered).toBe(0)
  disks.thaw('log')
  await Promise.all([...held, ...more])
  expect(answered).toBe(files.length + 15)
  expect(await metric('oldest_write_seconds')).toBe(0)
  for (const file of files) expect((await readFile(join(disks.outside('log'), `A/B/${file}_f.log`), 'utf8')).split('\n').slice(0, 2)).toEqual(['127.0.0.1|before', '127.0.0.1|held'])
})
