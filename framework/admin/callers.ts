// Who may have what an operator does done: pods of the application that it concerns, those of the framework, and who is no pod.
import { labels } from '#api/names.ts'
import { Failure } from '#base/errors.ts'
import type { Lifetime } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { startCallerCheck, uncheckedCallers, type CallerCheck, type CallerSettings } from '#kube/caller-check.ts'
import type { KubeClient } from '#kube/client.ts'

export interface AppCheckOptions {
  readonly client: KubeClient
  readonly namespace: string
  /** Default: nobody is checked. */
  readonly callers?: CallerSettings | undefined
  readonly log: Logger
}

export function startAppCheck({ callers = uncheckedCallers, ...options }: AppCheckOptions, lifetime: Lifetime): Promise<CallerCheck> {
  return startCallerCheck({ ...options, ...callers, ownerLabels: [labels.app], above: ['tars'], wholeApp: true }, lifetime)
}

/** @throws Failure CALLER_REFUSED when who calls may not for one of the applications */
export async function admitFor(check: CallerCheck, address: string, apps: Iterable<string>): Promise<void> {
  for (const app of new Set(apps)) {
    if (!(await check.guard(address, app, () => true, () => false))) throw new Failure('CALLER_REFUSED', `the caller is no pod of ${app.slice(0, 128)} or of the framework`, { remedy: 'TARS_CALLERS and TARS_CALLERS_TRUSTED say who is believed' })
  }
}
