import type { Goal } from '../goal.ts'
import { releasePackage } from '../release-package.ts'
import { onGround, seconds, server, warm, withRegistry } from './contest.ts'
import { withService } from './service.ts'

const ROUNDS = 5

/** The next release of a server, of whose files one in a hundred has changed, by a service that has built the one before. */
export async function second(note: (line: string) => void): Promise<readonly Goal[]> {
  const [tiny, file, next] = [await releasePackage(server, 5), await releasePackage(server, 200), await releasePackage(server, 200, { changedEvery: 100 })]
  for (const one of [file, next]) await warm(one)
  const samples: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await onGround((ground) =>
      withRegistry(ground, (arena) =>
        withService(ground, async (service) => {
          await service.aim(arena)
          await (await service.timage('Other'))(tiny, arena)
          const release = await service.timage('Bench')
          const first = await seconds(() => release(file, arena))
          const then = await seconds(() => release(next, arena))
          samples.push(then / first)
          note(`round ${round + 1}: first release ${first.toFixed(2)} s, second ${then.toFixed(2)} s`)
        }),
      ),
    )
  }
  return [{ what: '200 MB tgz, second release with 1 % of the files changed ÷ the first, building call', samples, bar: 0.5, rule: 'most', unit: '×' }]
}
