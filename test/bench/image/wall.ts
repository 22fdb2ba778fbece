import { join } from 'node:path'
import type { Goal } from '../goal.ts'
import { releasePackage } from '../release-package.ts'
import { execute, onGround, seconds, server, warm, withRegistry, type Arena, type Ground } from './contest.ts'
import { buildah, docker, inFolder, kaniko, piped, repacked, type Rival } from './rivals.ts'

const ROUNDS = 5
/** The slow ones take ten times as long: their ratios need no more rounds. */
const SLOW_ROUNDS = 2

interface Contender {
  readonly rival: Rival
  readonly rounds: number
  /** Undefined: only shown. */
  readonly bar?: number
}

/** `tarsk8s image build` as its own process, from its start to its end. */
function ours({ supervisor }: Ground): Rival {
  const launcher = join(import.meta.dirname, '../../../framework/bootstrap.mjs')
  return {
    name: 'ours',
    async build(file, { address, base }) {
      await execute(process.execPath, [launcher, 'image', 'build', file, '--app', 'Bench', '--server', server, '--type', 'cpp', '--base', base, '--to', `${address}/ours/app:1`, '--supervisor', supervisor], { maxBuffer: 1 << 26 })
    },
  }
}

/** A 200 MB tgz becomes an image in a docker-registry; all begin with nothing built or pulled before. */
export async function wall(note: (line: string) => void): Promise<readonly Goal[]> {
  const file = await releasePackage(server, 200)
  await warm(file)
  return onGround(async (ground) => {
    const own = ours(ground)
    const contenders: readonly Contender[] = [
      { rival: await piped(), rounds: ROUNDS, bar: 0.8 },
      { rival: await repacked(), rounds: ROUNDS, bar: 0.35 },
      { rival: await docker(ground), rounds: SLOW_ROUNDS, bar: 0.14 },
      { rival: await buildah(), rounds: SLOW_ROUNDS },
      { rival: await kaniko(), rounds: SLOW_ROUNDS, bar: 0.18 },
    ]
    const ratios = new Map(contenders.map(({ rival }) => [rival, [] as number[]]))
    try {
      for (let round = 0; round < ROUNDS; round++) {
        const rivals = contenders.filter(({ rounds }) => round < rounds).map(({ rival }) => rival)
        // The order changes every round, so that neither always has the warmer machine.
        const order = round % 2 === 0 ? [own, ...rivals] : [...rivals, own]
        const times = new Map<Rival, number>()
        await withRegistry(ground, async (arena: Arena) => {
          for (const one of order) times.set(one, await inFolder(ground, (dir) => seconds(() => one.build(file, arena, dir))))
        })
        for (const rival of rivals) ratios.get(rival)?.push((times.get(own) ?? NaN) / (times.get(rival) ?? NaN))
        note(`round ${round + 1}: ${order.map((one) => `${one.name} ${times.get(one)?.toFixed(2)} s`).join('; ')}`)
      }
    } finally {
      for (const { rival } of contenders) await rival.stop?.()
    }
    return contenders.flatMap(({ rival, bar }): Goal[] => {
      const samples = ratios.get(rival) ?? []
      if (bar !== undefined) return [{ what: `200 MB tgz to docker-registry, wall, ours ÷ ${rival.name}`, samples, bar, rule: 'most', unit: '×' }]
      note(`200 MB tgz to docker-registry, wall, ours ÷ ${rival.name}: ${samples.map((ratio) => `${ratio.toFixed(3)}×`).join(', ')}`)
      return []
    })
  })
}
