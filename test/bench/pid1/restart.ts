import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runtime, scratch, supervisorCommand } from '../../node/rig.ts'
import type { Goal } from '../goal.ts'
import { cachedPod, CLOCK, execTimes, type Timed } from './clock.ts'
import type { Rivals } from './rivals.ts'

const ROUNDS = 5

/** A folder with CLOCK as the script `run`, as s6 and runit have it; its times go to the standard output. */
function serviceFolder(): string {
  const folder = scratch('service')
  writeFileSync(join(folder, 'run'), `#!/bin/sh\nexec ${CLOCK.file} +%s%N\n`, { mode: 0o755 })
  return folder
}

/** CLOCK as a script that appends to a file, for supervisors that keep the output of their services to themselves. */
function clockScript(): { readonly script: string; readonly file: string; readonly folder: string } {
  const folder = scratch('clock')
  const [script, file] = [join(folder, 'clock'), join(folder, 'times')]
  writeFileSync(script, `#!/bin/sh\nexec ${CLOCK.file} +%s%N >> ${file}\n`, { mode: 0o755 })
  return { script, file, folder }
}

/** startsecs=0: an early end is no failed start, after which supervisord would wait. */
function supervisord(path: string): Timed {
  const { script, file, folder } = clockScript()
  const conf = join(folder, 'supervisord.conf')
  writeFileSync(conf, `[supervisord]\nnodaemon=true\nuser=root\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=${join(folder, 'pid')}\n[program:clock]\ncommand=${script}\nautorestart=true\nstartsecs=0\n`)
  return { argv: [path, '-c', conf], file }
}

function pm2(path: string): Timed {
  const { script, file, folder } = clockScript()
  const [conf, home] = [join(folder, 'clock.config.json'), join(folder, 'home')]
  mkdirSync(home)
  writeFileSync(conf, JSON.stringify({ apps: [{ name: 'clock', script, interpreter: 'none', exec_mode: 'fork' }] }))
  return { argv: [runtime, path, 'start', conf], env: { PM2_HOME: home, HOME: home }, file }
}

async function msToSecondRun(timed: Timed): Promise<number> {
  const [first = NaN, second = NaN] = await execTimes(timed, 2)
  return second - first
}

/** First crash to re-exec. s6 and runit wait a second by design, supervisord polls, pm2 has a runtime of its own. */
export async function restart(rivals: Rivals, note: (line: string) => void): Promise<readonly Goal[]> {
  const tarsnode = await supervisorCommand()
  const contenders = [
    { name: `s6-supervise of ${rivals.s6.name}`, bar: 1 / 20, timed: () => ({ argv: [rivals.s6.path, serviceFolder()] }) },
    { name: `runsv of ${rivals.runit.name}`, bar: 1 / 20, timed: () => ({ argv: [rivals.runit.path, serviceFolder()] }) },
    { name: `supervisord of ${rivals.supervisord.name}`, bar: 1, timed: () => supervisord(rivals.supervisord.path) },
    { name: `pm2-runtime of ${rivals.pm2.name}`, bar: 1, timed: () => pm2(rivals.pm2.path) },
  ]
  const samples = contenders.map((): number[] => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { name, timed }] of contenders.entries()) {
      const ours = await msToSecondRun({ argv: tarsnode, env: cachedPod().env })
      const theirs = await msToSecondRun(timed())
      samples[i]?.push(ours / theirs)
      note(`crash to re-exec: tarsnode ${ours.toFixed(1)} ms, ${name} ${theirs.toFixed(1)} ms`)
    }
  }
  return contenders.map(({ name, bar }, i) => ({ what: `first crash to re-exec, tarsnode ÷ ${name}`, samples: samples[i] ?? [], bar, rule: 'most', unit: '×' }))
}
