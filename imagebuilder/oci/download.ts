import { isTemporary } from '#base/errors.ts'
import { backoff, sleep } from '#base/retry.ts'
import { connectionFailure } from './failures.ts'
import type { Answer } from './transport.ts'

export interface DownloadOptions {
  readonly registry: string
  /** For errors, e.g. `reading blob sha256:…`. */
  readonly doing: string
  /** Asks for the rest from an offset on; an answer 200 brings the whole again. */
  readonly again: (offset: number) => Promise<Answer>
  /** Cuts in a row without a byte between them. */
  readonly attempts: number
  readonly signal?: AbortSignal | undefined
}

/**
 * The bytes that the first answer brings. Where it is cut off, the rest is asked for (distribution-spec "Pulling blobs",
 * RFC 9110 "Range Requests"): a large layer over a bad line would begin anew with every build.
 * @throws REGISTRY_CUT when that is of no use, the failures of `again`, or the signal's reason
 */
export async function* downloaded(first: Answer, { registry, doing, again, attempts, signal }: DownloadOptions): AsyncGenerator<Buffer> {
  let taken = 0
  let cuts = 0
  for (let answer = first; ; answer = await again(taken)) {
    let at = answer.status === 206 ? taken : 0
    try {
      for await (const piece of answer.body as AsyncIterable<Buffer>) {
        const fresh = piece.subarray(Math.max(0, taken - at))
        at += piece.length
        if (fresh.length === 0) continue
        taken += fresh.length
        cuts = 0
        yield fresh
      }
      return
    } catch (error) {
      signal?.throwIfAborted()
      const failure = connectionFailure(error, registry, doing)
      if (!isTemporary(failure) || ++cuts >= attempts) throw failure
      await sleep(backoff(cuts, { baseMs: 200, capMs: 5000 }), signal)
    }
  }
}
