import type { TServer } from '#api/types.ts'
import { tellEvent, type News } from '#kube/event.ts'
import type { ControllerContext } from './context.ts'

/** Tells the operator about a server by a Warning event. */
export function warn(context: ControllerContext, server: TServer, reason: string, message: string): Promise<void> {
  return tell(context, server, { type: 'Warning', reason, message })
}

/** Tells the operator about a server by an event. */
export function tell({ client, clock }: ControllerContext, server: TServer, news: News): Promise<void> {
  return tellEvent({ client, component: 'tarscontroller', now: clock.now() }, server, news)
}
