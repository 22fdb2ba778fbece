import { runtime, supervisorCommand } from '../../node/rig.ts'
import type { Goal } from '../goal.ts'
import { cachedPod, CLOCK, execTimes } from './clock.ts'
import type { Rival, Rivals } from './rivals.ts'

const ROUNDS = 21
/** Rounds that are not counted: the first ones read the programs from disk. */
const WARM_UP = 2

const now = (): number => performance.timeOrigin + performance.now()

async function msToService(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> {
  const started = now()
  const [time = NaN] = await execTimes({ argv, env }, 1)
  return time - started
}

/** Exec of PID 1 to exec of the service, against the bare runtime; the small inits are the floor. */
export async function start({ tini, dumbInit, catatonit }: Rivals, note: (line: string) => void): Promise<readonly Goal[]> {
  const tarsnode = await supervisorCommand()
  const bare = [runtime, '-e', `require('node:child_process').spawn('${CLOCK.file}', ['+%s%N'], { stdio: 'inherit' })`]
  const under = ({ path }: Rival, ...flags: string[]): Promise<number> => msToService([path, ...flags, '--', CLOCK.file, '+%s%N'])
  const { env } = cachedPod()
  const samples: number[] = []
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    // The order changes every round, so that neither always has the warmer machine.
    const first = round % 2 === 0 ? await msToService(tarsnode, env) : undefined
    const theirs = await msToService(bare)
    const ours = first ?? (await msToService(tarsnode, env))
    const floor = [await under(tini, '-s'), await under(dumbInit), await under(catatonit)]
    if (round < 0) continue
    samples.push(ours / theirs)
    const floors = [tini, dumbInit, catatonit].map(({ name }, i) => `${name} ${floor[i]?.toFixed(1)} ms`).join(', ')
    note(`start: tarsnode ${ours.toFixed(1)} ms, bare runtime ${theirs.toFixed(1)} ms; floor: ${floors}`)
  }
  return [{ what: `exec of PID 1 to exec of the service, tarsnode ÷ Node ${process.version} spawning it from one line`, samples, bar: 1.25, rule: 'most', unit: '×' }]
}
