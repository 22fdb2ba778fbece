import type { FactsStatus, TImage } from '#api/types.ts'
import { factsStatus } from './facts.ts'

/** What there is of an image, and whether its last build failed. */
export function imageStatus(image: TImage, now: string): FactsStatus {
  const { releases = [], build: { last } = {} } = image
  const [newest] = releases
  const failed = last?.phase === 'Failed'
  return factsStatus(image, [
    newest === undefined
      ? { type: 'Released', status: 'False', reason: 'NoRelease', message: 'there is no release yet' }
      : { type: 'Released', status: 'True', reason: 'Released', message: `the newest of ${releases.length} releases is ${newest.id}` },
    failed
      ? { type: 'Degraded', status: 'True', reason: 'BuildFailed', message: `the last build, ${last.id}, failed: ${last.message ?? ''}` }
      : { type: 'Degraded', status: 'False', reason: 'AsExpected', message: last === undefined ? 'no build has ended' : `the last build, ${last.id}, succeeded` },
  ], now)
}
