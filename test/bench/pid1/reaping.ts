import { join } from 'node:path'
import { command, pod, supervise } from '../../node/rig.ts'
import { exitCode, PidNamespace } from '../../rig/pidns.ts'
import { debianTool } from '../../rig/tools.ts'
import type { Goal } from '../goal.ts'
import type { Rival, Rivals } from './rivals.ts'

const BURST = join(import.meta.dirname, '..', '..', 'node', 'services', 'burst.pl')
const ORPHANS = 25_000
const ROUNDS = 5
/** Rounds in which the other small inits run, too; they decide nothing. */
const SHOWN = 1
/** The service's own exit code: it comes through the burst or was stolen in it. */
const CODE = 43

interface Burst {
  readonly ms: number
  /** PID 1 ended with the outcome of its own child. */
  readonly intact: boolean
}

async function burst(space: PidNamespace): Promise<Burst> {
  try {
    const [, ms = ''] = await space.output(/reaped in ([\d.]+) ms/)
    return { ms: Number(ms), intact: exitCode(await space.ended) === CODE }
  } finally {
    await space.destroy()
  }
}

/** A burst of orphans until none is left, with the exit status of the service intact. */
export async function reaping(rivals: Rivals, note: (line: string) => void): Promise<readonly Goal[]> {
  const perl = await debianTool('perl', 'perl-base')
  const args = [BURST, String(ORPHANS), String(CODE)]
  const ours = async (): Promise<Burst> => burst(await supervise(pod('none', { ...command(perl, `perl ${args.join(' ')}`), TARSNODE_ON_EXIT: 'exit' })))
  const under = ({ path }: Rival): Promise<Burst> => burst(new PidNamespace({ argv: [path, '--', perl, ...args] }))
  const ratios: number[] = []
  const lost: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    // The order changes every round, so that neither always has the warmer machine.
    const first = round % 2 === 0 ? await ours() : undefined
    const tini = await under(rivals.tini)
    const own = first ?? (await ours())
    ratios.push(own.ms / tini.ms)
    lost.push(own.intact ? 0 : 1)
    note(`${ORPHANS} orphans: tarsnode ${own.ms.toFixed(0)} ms, ${rivals.tini.name} ${tini.ms.toFixed(0)} ms`)
    if (round >= SHOWN) continue
    for (const rival of [rivals.dumbInit, rivals.catatonit]) note(`${ORPHANS} orphans: ${rival.name} ${(await under(rival)).ms.toFixed(0)} ms`)
  }
  return [
    { what: `${ORPHANS} orphans until none is left, tarsnode ÷ ${rivals.tini.name}`, samples: ratios, bar: 1, rule: 'most', unit: '×' },
    { what: `statuses of our own children lost in a burst of ${ORPHANS} orphans`, samples: [lost.reduce((sum, one) => sum + one, 0)], bar: 0, rule: 'most' },
  ]
}
