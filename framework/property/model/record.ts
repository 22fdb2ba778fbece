// A reported value as it is kept: whose it is, and whether it may be (framework-services 7). Pure.
import { cleanName } from '#store/clean-text.ts'
import { accountOf } from '#store/key-guard.ts'
import type { Key, Reason } from '#store/known.ts'
import type { StatPropMsgHead } from '#tars/protocol/PropertyF.ts'

/** What is measured, as rows have it. */
export type PropertyNames = {
  readonly master_name: string
  readonly master_ip: string
  readonly property_name: string
  readonly set_name: string
  readonly set_area: string
  readonly set_id: string
  readonly policy: string
  /** Of Distr. */
  readonly bucket: string
}

/** What is known of who reports. */
export interface Reporter {
  /** Pod, or whatever it goes by. @param server of which it says that it is */
  readonly node: (server: string) => string
  /** Where it sends from. */
  readonly address: string
  /** `App.Server` of the pod that reports; undefined for a stranger. */
  readonly owner: string | undefined
  /** Whether a server of this name runs here. */
  readonly isOwner: (name: string) => boolean
  /** Whether it may speak for a server: for itself, and under a name that is no server's. */
  readonly mayReport: (server: string) => boolean
}

const internalModule = 'tars.tarsnode'

/** What a value of reportPropMsg is counted under. */
export function keyOfValue(head: StatPropMsgHead, policy: string, bucket: string, { node, address, owner, isOwner, mayReport }: Reporter): (Key & { readonly names: PropertyNames }) | Reason {
  const by = head.moduleName.split('.', 2).join('.')
  if (by === internalModule) return 'internal'
  if (!mayReport(by)) return 'foreign'
  // What a pod says under made-up names is counted against its own server, and what a stranger says against its address, so that they take no room from others.
  const server = owner === undefined || isOwner(by) ? by : owner
  const names = {
    master_name: cleanName(head.moduleName), master_ip: cleanName(node(by)), property_name: cleanName(head.propertyName),
    set_name: cleanName(head.setName, 32), set_area: cleanName(head.setArea, 32), set_id: cleanName(head.setID, 32), policy: cleanName(policy, 32), bucket: cleanName(bucket, 32),
  }
  return { by: accountOf(cleanName(server), cleanName(owner ?? address)), names }
}
