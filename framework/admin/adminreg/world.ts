import type { TTemplate } from '#api/types.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import type { View } from '../model/view.ts'
import type { Groups } from './groups.ts'
import type { Nodes } from './nodes.ts'

/** What the functions of AdminReg work with. */
export interface World {
  readonly client: KubeClient
  readonly namespace: string
  readonly view: View
  readonly groups: Groups
  readonly template: (name: string) => TTemplate | undefined
  readonly nodes: Nodes
  /** How tarsregistry is called, which is as AdminRegObj is: by TLS alone, and with an account for some of its objects. */
  readonly guard: { readonly isSsl: boolean; readonly auth: ReadonlySet<string> }
  readonly log: Logger
}
