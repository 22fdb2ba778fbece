// A disk that is full: lines that were not taken leave nothing of themselves behind.
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '#base/clock.ts'
import { Communicator } from '#tars/client.ts'
import { createLogInfo, Log, type LogProxy } from '#tars/protocol/LogF.ts'
import { Topology, type TopologyProxy } from '#tars/protocol/Topology.ts'
import { LogFiles } from '../../framework/log/files/log-files.ts'
import { Disks } from '../rig/disks.ts'
import { startLogProcess } from './process.ts'

const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-full-'))
const disks = await Disks.mount(folder, { log: 1 })
afterAll(async () => {
  await disks.unmount()
  await rm(folder, { recursive: true, force: true })
})

/** Whether much comes or little. */
const loads = [['much', 0], ['little', Infinity]] as const

test.each(loads)('a line that found no room for all of it is not the start of the next one, where %s comes', async (_load, busyAt) => {
  const files = new LogFiles({ root: disks.outside('log'), clock: systemClock, busyAt })
  await files.append('a.log', Buffer.from('first\n'))
  const refused = files.append('a.log', Buffer.alloc(2 << 20, 'y'))
  await expect(refused).rejects.toThrow(/a\.log cannot be written/)
  await files.append('a.log', Buffer.from('second\n'))
  await files.stop()
  expect(await readFile(join(disks.outside('log'), 'a.log'), 'utf8')).toBe('first\nsecond\n')
  await rm(join(disks.outside('log'), 'a.log'))
})

test.each(loads)('nor is a short one, where %s comes', async (_load, busyAt) => {
  const files = new LogFiles({ root: disks.outside('log'), clock: systemClock, busyAt })
  const line = Buffer.from(`${'y'.repeat(9998)}\n`)
  let taken = 0
  const fill = async (): Promise<void> => {
    for (;; taken++) await files.append('b.log', line)
  }
  await expect(fill()).rejects.toThrow(/b\.log cannot be written/)
  await files.stop()
  const text = await readFile(join(disks.outside('log'), 'b.log'))
  expect(text.equals(Buffer.concat(Array.from({ length: taken }, () => line)))).toBe(true)
  await rm(join(disks.outside('log'), 'b.log'))
})

test('one that is full at the start: old logs go, and there is room for traces, whose index cannot be opened before', async () => {
  const own = await Disks.mount(await mkdtemp(join(folder, 'start-')), { log: 16 })
  const communicator = new Communicator({ timeoutMs: 60_000 })
  onTestFinished(async () => {
    await communicator.close()
    await own.unmount()
  })
  const start = async () => {
    const started = await startLogProcess(own.inside('log'), own.within)
    const log = communicator.proxy<LogProxy>(Log, `tars.tarslog.LogObj@tcp -h 127.0.0.1 -p ${started.ports.log}`)
    const topology = communicator.proxy<TopologyProxy>(Topology, `tars.tarslog.TopologyObj@tcp -h 127.0.0.1 -p ${started.ports.topology}`)
    const stop = async () => {
      started.child.kill()
      await once(started.child, 'exit')
    }
    return { log, topology, stop }
  }
  await (await start()).stop()
  const old = join(own.outside('log'), 'App/Server')
  await mkdir(old, { recursive: true })
  const fill = async (): Promise<void> => {
    for (let index = 0; ; index++) {
      await writeFile(join(old, `${index}.log`), Buffer.alloc(1 << 20))
      await utimes(join(old, `${index}.log`), index, Date.now() / 1000 - 3600 + index)
    }
  }
  await expect(fill()).rejects.toThrow(/ENOSPC/)
  const { log, topology, stop } = await start()
  onTestFinished(stop)
  const day = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 10).replaceAll('-', '')
  await log.loggerbyInfo(createLogInfo({ appname: 'App', servername: 'Server', sFilename: '_t_trace_', sFormat: '%Y' }), ['|t|s|s|cs|App.Server|A.B|f|1|||\n'])
  expect((await topology.graphTrace(day, 't')).return).toBe(0)
})
