import type { Goal } from '../goal.ts'
import { releasePackage } from '../release-package.ts'
import { onGround, seconds, server, warm, withRegistry } from './contest.ts'
import { inFolder, piped } from './rivals.ts'
import { withService } from './service.ts'

const ROUNDS = 11
/** Releases before the first that counts: a service has run for long when a package comes. */
const WARM_UP = 5

/** A 5 MB tgz sent to the running service, against the fastest rival: the next release of a server, all into one registry; nothing compressed before is used again. */
export async function small(note: (line: string) => void): Promise<readonly Goal[]> {
  const file = await releasePackage(server, 5)
  await warm(file)
  const rival = await piped()
  const samples: number[] = []
  await onGround((ground) =>
    withRegistry(ground, (arena) =>
      withService(ground, async (service) => {
        await service.aim(arena)
        const release = await service.timage('Bench')
        const ours = (): Promise<number> => seconds(() => release(file, arena))
        for (let round = -WARM_UP; round < ROUNDS; round++) {
          const first = round % 2 === 0 ? await ours() : undefined
          const theirs = await inFolder(ground, (dir) => seconds(() => rival.build(file, arena, dir)))
          const own = first ?? (await ours())
          if (round < 0) continue
          samples.push(own / theirs)
          note(`round ${round + 1}: building call ${own.toFixed(3)} s; ${rival.name} ${theirs.toFixed(3)} s`)
        }
      }, { env: { TARSIMAGE_CACHE: '0' } }),
    ),
  )
  return [{ what: `5 MB tgz, building call of the running service ÷ ${rival.name}`, samples, bar: 0.8, rule: 'most', unit: '×' }]
}
