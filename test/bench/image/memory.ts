import type { Goal } from '../goal.ts'
import { releasePackage } from '../release-package.ts'
import { onGround, server, withRegistry } from './contest.ts'
import { withService } from './service.ts'

const ROUNDS = 3
const SIZES = [5, 200, 1000]

/** Peak memory of a service, from its start to the end of one release. */
export async function memory(note: (line: string) => void): Promise<readonly Goal[]> {
  const peaks = new Map(SIZES.map((size) => [size, [] as number[]]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [size, samples] of peaks) {
      const file = await releasePackage(server, size)
      const peak = await onGround((ground) =>
        withRegistry(ground, (arena) =>
          withService(ground, async (service) => {
            await service.aim(arena)
            await (await service.timage('Bench'))(file, arena)
            return service.peak()
          }),
        ),
      )
      samples.push(peak)
    }
    note(`round ${round + 1}: ${[...peaks].map(([size, samples]) => `${size} MB tgz, peak ${samples[round]?.toFixed(0)} MB`).join('; ')}`)
  }
  const [least = [], , most = []] = [...peaks.values()]
  note(`peak memory of the service, 1 GB tgz ÷ 5 MB tgz: ${most.map((peak, round) => `${(peak / (least[round] ?? NaN)).toFixed(2)}×`).join(', ')}`)
  return [...peaks].map(([size, samples]): Goal => ({ what: `peak memory of the service, ${size} MB tgz`, samples, bar: 150, rule: 'most', unit: ' MB' }))
}
