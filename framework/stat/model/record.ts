// A line of a report as it is kept: whose it is, and whether it may be (framework-services 6.2). Pure.
import { cleanName } from '#store/clean-text.ts'
import { accountOf } from '#store/key-guard.ts'
import type { Key, Reason } from '#store/known.ts'
import type { StatMicMsgHead } from '#tars/protocol/StatF.ts'

/** Who calls what, as rows have it. */
export type StatNames = {
  readonly master_name: string
  readonly slave_name: string
  readonly interface_name: string
  readonly tars_version: string
  readonly master_ip: string
  readonly slave_ip: string
  readonly slave_port: number
  readonly return_value: number
  readonly slave_set_name: string
  readonly slave_set_area: string
  readonly slave_set_id: string
}

/** What is known of who reports, and of names and addresses. */
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
  /** The pod of a server that an address or a DNS name means, else the text itself. */
  readonly host: (text: string, server: string) => string
}

/** Servers that report about calls that nobody asks about. */
const internalSlaves = new Set(['tars.tarsnode', 'tars.tarsproperty', 'tars.tarsstat', 'tars.tarsnotify'])
const internalMasters = new Set(['tars.tarsnode', 'elk'])

/** What the head of a line of reportMicMsg says. */
export function keyOfHead(head: StatMicMsgHead, fromClient: boolean, reporter: Reporter): (Key & { readonly names: StatNames }) | Reason {
  const { name: master, version } = splitVersion(head.masterName)
  const [caller, callee] = [serverOf(master), serverOf(head.slaveName)]
  const own = fromClient ? caller : callee
  if (internalSlaves.has(head.slaveName) || (version !== '' && internalMasters.has(master))) return 'internal'
  if (!reporter.mayReport(own)) return 'foreign'
  // What a pod says under made-up names is counted against its own server, and what a stranger says against its address, so that they take no room from others.
  const by = reporter.owner === undefined || reporter.isOwner(own) ? own : reporter.owner
  const names = {
    master_name: cleanName(master), slave_name: cleanName(head.slaveName), interface_name: cleanName(head.interfaceName), tars_version: cleanName(version === '' ? head.tarsVersion : version, 32),
    master_ip: cleanName(fromClient ? reporter.node(caller) : reporter.host(head.masterIp, caller)), slave_ip: cleanName(fromClient ? reporter.host(head.slaveIp, callee) : reporter.node(callee)),
    slave_port: head.slavePort, return_value: head.returnValue,
    slave_set_name: cleanName(head.slaveSetName, 32), slave_set_area: cleanName(head.slaveSetArea, 32), slave_set_id: cleanName(head.slaveSetID, 32),
  }
  return { by: accountOf(cleanName(by), cleanName(reporter.owner ?? reporter.address)), names }
}

/** `App.Server@version` */
function splitVersion(text: string): { readonly name: string; readonly version: string } {
  const at = text.indexOf('@')
  return at < 0 ? { name: text, version: '' } : { name: text.slice(0, at), version: text.slice(at + 1) }
}

/** Without the set that TarsCpp adds. */
function serverOf(name: string): string {
  return name.split('.', 2).join('.')
}
