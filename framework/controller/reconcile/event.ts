import type { TServer } from '#api/types.ts'
import { tellEvent, type News } from '#kube/event.ts'
import type { KubeObject } from '#kube/types.ts'
import type { ControllerContext } from './context.ts'

/** Tells the operator about a server by a Warning event. */
export function warn(context: ControllerContext, server: TServer, reason: string, message: string): Promise<void> {
  return tell(context, server, { type: 'Warning', reason, message })
}

/** Tells the operator about an object by an event. */
export function tell({ client, clock }: Pick<ControllerContext, 'client' | 'clock'>, subject: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>, news: News): Promise<void> {
  return tellEvent({ client, component: 'tarscontroller', now: clock.now() }, subject, news)
}
