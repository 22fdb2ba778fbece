import { execa } from 'execa'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

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
})
