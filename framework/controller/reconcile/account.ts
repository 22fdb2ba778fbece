import { resources } from '#api/resources.ts'
import type { TAccount } from '#api/types.ts'
import { isNotFound } from '#kube/errors.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import type { Resource } from '#kube/types.ts'
import type { ControllerContext } from './context.ts'

/** Later looks are asked for again: timers hold at most 24 days. */
const longestMs = 86_400_000

/** Tokens that have ended are removed (control-plane spec C.10). */
export function reconcileAccount({ client, stores, clock }: ControllerContext): Reconcile {
  return async (key, signal) => {
    const account = stores.accounts.getByKey(key)
    if (account === undefined || account.metadata.deletionTimestamp !== undefined) return
    const { tokens = [] } = account.spec.authentication
    const now = clock.now()
    const kept = tokens.filter((token) => !(endOf(token) < now))
    const { namespace, name, resourceVersion } = account.metadata
    if (kept.length < tokens.length) {
      try {
        // Another writer in between makes a conflict, and a new try.
        await client.patch(resources.taccounts as Resource<TAccount>, { namespace, name }, { metadata: { resourceVersion }, spec: { authentication: { tokens: kept } } }, { signal })
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    }
    const next = Math.min(...kept.map(endOf).filter((end) => end >= now))
    // One millisecond more: a token counts to its last.
    return next === Infinity ? {} : { requeueAfterMs: Math.min(longestMs, next - now + 1) }
  }
}

/** NaN for a token without end. */
function endOf({ expirationTime }: { readonly expirationTime?: string }): number {
  return Date.parse(expirationTime ?? '')
}
