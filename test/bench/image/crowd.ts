import type { Goal } from '../goal.ts'
import { releasePackage } from '../release-package.ts'
import { onGround, server, warm, withRegistry } from './contest.ts'
import { withService } from './service.ts'

const ROUNDS = 3
const UPLOADS = 20
const CORES = '0,1'

/** Twenty packages of 50 MB at once, each of an application of its own, to a service on two cores. */
export async function crowd(note: (line: string) => void): Promise<readonly Goal[]> {
  const file = await releasePackage(server, 50)
  await warm(file)
  const [slowest, peaks, done]: [number[], number[], number[]] = [[], [], []]
  for (let round = 0; round < ROUNDS; round++) {
    await onGround((ground) =>
      withRegistry(ground, (arena) =>
        withService(ground, async (service) => {
          await service.aim(arena)
          const releases = await Promise.all(Array.from({ length: UPLOADS }, (_, number) => service.timage(`Bench${number}`)))
          const start = performance.now()
          const ends = await Promise.allSettled(releases.map((release) => release(file, arena).then(() => (performance.now() - start) / 1000)))
          for (const end of ends) if (end.status === 'rejected') note(String(end.reason))
          const times = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
          const mean = times.reduce((sum, time) => sum + time, 0) / times.length
          slowest.push(Math.max(...times) / mean)
          peaks.push(service.peak())
          done.push(times.length)
          note(`round ${round + 1}: ${times.length} of ${UPLOADS} images, fastest ${Math.min(...times).toFixed(1)} s, mean ${mean.toFixed(1)} s, slowest ${Math.max(...times).toFixed(1)} s, peak ${service.peak().toFixed(0)} MB`)
        }, { cores: CORES }),
      ),
    )
  }
  const what = `${UPLOADS} uploads of 50 MB at once on 2 cores`
  return [
    { what: `${what}, images`, samples: done, bar: UPLOADS, rule: 'least' },
    { what: `${what}, slowest ÷ mean`, samples: slowest, bar: 1.5, rule: 'most', unit: '×' },
    { what: `${what}, peak memory of the service`, samples: peaks, bar: 400, rule: 'most', unit: ' MB' },
  ]
}
