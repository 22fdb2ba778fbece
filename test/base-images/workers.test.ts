import { fork } from 'node:child_process'
import { once } from 'node:events'
import { execa } from 'execa'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { startEcho } from '../lib/tars/server/echo.ts'

const workers = join(import.meta.dirname, '..', '..', 'base-images', 'nodejs', 'agent', 'workers.ts')

/** Stops the workers of a service right after one died, before the agent could learn of it. */
const script = `
  import cluster from 'node:cluster'
  import { readFileSync } from 'node:fs'
  const { Workers } = await import(${JSON.stringify(workers)})
  if (!cluster.isPrimary) throw new Error('this is the agent')
  cluster.setupPrimary({ exec: process.argv[1], args: [] })
  const log = { info() {}, error() {} }
  const all = new Workers({ count: 1, env: {}, stopTimeoutMs: 10_000, log })
  all.once('online', () => {
    const { pid } = Object.values(cluster.workers)[0].process
    process.kill(pid, 'SIGKILL')
    const state = () => readFileSync('/proc/' + pid + '/stat', 'latin1').split(') ')[1][0]
    while (state() !== 'Z');
    all.stop()
  })
  all.once('ended', (code) => process.exit(code))
  all.start()
`

describe('workers of the Node base image', () => {
  it('end in order although one of them is dead already', async () => {
    const idle = join(import.meta.dirname, 'idle-worker.mjs')
    const { exitCode, stderr } = await execa(process.execPath, ['--input-type=module', '-e', script, idle], { reject: false })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  })

  it('finish the calls under way and lose none when they stop', async () => {
    const child = fork(join(import.meta.dirname, 'stopping-agent.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const [port] = (await once(child, 'message')) as [number]
    const other = await startEcho()
    const communicator = new Communicator({ timeoutMs: 60_000 })
    const errors: unknown[] = []
    let [calls, running] = [0, true]
    const caller = async (): Promise<void> => {
      while (running) await communicator.ping(`${other.object()}:tcp -h 127.0.0.1 -p ${port}`).then(() => calls++, (error: unknown) => errors.push(error))
    }
    const callers = [caller(), caller(), caller()]
    try {
      await expect.poll(() => calls).toBeGreaterThan(50)
      child.send('stop')
      expect(await once(child, 'exit')).toEqual([0, null])
      const before = calls
      await expect.poll(() => calls).toBeGreaterThan(before + 50)
    } finally {
      running = false
      await Promise.all(callers)
      await communicator.close()
      await other.drain(0)
      if (child.exitCode === null) child.kill('SIGKILL')
    }
    expect(errors).toEqual([])
  })
})
