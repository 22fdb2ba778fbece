// What tarslog has answered for is in the files, also when its process is killed.
import { once } from 'node:events'
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { createLogInfo, Log, type LogProxy } from '#tars/protocol/LogF.ts'
import { Topology, type TopologyProxy } from '#tars/protocol/Topology.ts'
import { startLogProcess } from './process.ts'

const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-log-killed-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

test('no line that was answered for is lost, and none is there twice, or is one with half of another; traces go on', async () => {
  const communicator = new Communicator({ timeoutMs: 60_000 })
  const acknowledged: number[] = []
  let next = 0
  const file = join(folder, `A/B/A.B_${new Date().getFullYear()}.log`)
  const half = '127.0.0.1|a line that is'
  const span = (moment: string, time: number) => ['t', 'trace', 's', 's', moment, 'A.A', 'B.B', 'f', time, '0', '', ''].join('|') + '\n'
  const trace = createLogInfo({ appname: 'A', servername: 'A', sFilename: '_t_trace_', sFormat: '%Y' })
  for (let round = 0; round < 3; round++) {
    const { child, ports } = await startLogProcess(folder)
    const log = communicator.proxy<LogProxy>(Log, `tars.tarslog.LogObj@tcp -h 127.0.0.1 -p ${ports.log}`)
    if (round === 0) await log.loggerbyInfo(trace, [span('cs', 1)])
    // The index takes lines of traces a moment later.
    const topology = communicator.proxy<TopologyProxy>(Topology, `tars.tarslog.TopologyObj@tcp -h 127.0.0.1 -p ${ports.topology}`)
    const day = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 10).replaceAll('-', '')
    if (round === 0) await topology.graphTrace(day, 'trace')
    if (round === 2) {
      await log.loggerbyInfo(trace, [span('cr', 5)])
      expect((await topology.graphTrace(day, 'trace')).graph.es.map(({ csTime, crTime }) => [csTime, crTime])).toEqual([[1n, 5n]])
    }
    const writers = Array.from({ length: 8 }, async () => {
      for (;;) {
        const number = next++
        try {
          await log.loggerbyInfo(createLogInfo({ appname: 'A', servername: 'B', sFormat: '%Y' }), [`${number}\n`])
        } catch {
          return
        }
        acknowledged.push(number)
        if (acknowledged.length === (round + 1) * 400) child.kill('SIGKILL')
      }
    })
    await Promise.all(writers)
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    // As far as a long write had come: half a line, after which others may follow.
    if (round < 2) await appendFile(file, half)
  }
  await communicator.close()
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
  expect(lines.filter((line) => line === half)).toHaveLength(2)
  const written = lines.filter((line) => line !== half).map((line) => Number(line.split('|')[1]))
  expect(new Set(written).size).toBe(written.length)
  expect(acknowledged.filter((number) => !written.includes(number))).toEqual([])
  expect(acknowledged.length).toBeGreaterThanOrEqual(1200)
})
