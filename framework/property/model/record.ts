// A reported value as it is kept: whose it is, and whether it may be (framework-services 7). Pure.
import { cleanName } from '#store/clean-text.ts'
import { keyOf, type Measured } from '#store/fold.ts'
import type { StatPropMsgBody, StatPropMsgHead } from '#tars/protocol/PropertyF.ts'
import { parsePolicy, type PolicyValue } from './policy.ts'

export interface PropertyNames {
  readonly module: string
  readonly node: string
  readonly property: string
  readonly setName: string
  readonly setArea: string
  readonly setId: string
  readonly policy: string
}

export type PropertyRecord = Measured<PropertyNames, PolicyValue>

/** What is known of who reports. */
export interface Reporter {
  /** Pod, or whatever it goes by. */
  readonly node: string
  /** `App.Server` of the pod that reports; undefined for a stranger. */
  readonly owner: string | undefined
  /** Whether a server of this name runs here. */
  readonly isOwner: (name: string) => boolean
  /** Whether it may speak for a server: for itself, and under a name that is no server's. */
  readonly mayReport: (server: string) => boolean
}

/** Why a value is not kept. */
export type Reason = 'empty' | 'internal' | 'invalid' | 'foreign'

const internalModule = 'tars.tarsnode'
/** Policies of one property in a report. */
const mostPolicies = 32

/** One entry of reportPropMsg: a record or a reason for each of its values. */
export function recordsOf(head: StatPropMsgHead, body: StatPropMsgBody, { node, owner, isOwner, mayReport }: Reporter): (PropertyRecord | Reason)[] {
  const by = head.moduleName.split('.').slice(0, 2).join('.')
  if (by === internalModule) return ['internal']
  if (!mayReport(by)) return ['foreign']
  // What a pod says under made-up names is counted against its own server, so that they take no room from others.
  const account = owner === undefined || isOwner(by) ? by : owner
  return body.vInfo.slice(0, mostPolicies).map(({ policy, value: text }) => {
    const value = parsePolicy(policy, text)
    if (value === 'none') return 'empty'
    if (value === undefined || policy === '') return 'invalid'
    const key = keyOf(cleanName(account), {
      module: cleanName(head.moduleName), node: cleanName(node), property: cleanName(head.propertyName),
      setName: cleanName(head.setName, 32), setArea: cleanName(head.setArea, 32), setId: cleanName(head.setID, 32), policy: cleanName(policy, 32),
    })
    return { key, value }
  })
}
