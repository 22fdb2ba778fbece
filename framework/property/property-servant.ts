import type { CallerCheck } from '#kube/caller-check.ts'
import type { Callers } from '#kube/callers.ts'
import type { Intake } from '#store/intake.ts'
import type { Key, Reason } from '#store/known.ts'
import type { Reader } from '#tars/codec/reader.ts'
import type { Current } from '#tars/server.ts'
import { reading } from '#tars/server/unread.ts'
import { keyOfValue, type Reporter } from './model/record.ts'
import { aboutOf, headOf, readValues } from './property-lines.ts'

export interface PropertyServantOptions {
  readonly intake: Intake
  readonly callers: Pick<Callers, 'at' | 'sharerAt' | 'isPod' | 'isOwner' | 'version'>
  /** Who may report of a server. */
  readonly check: Pick<CallerCheck, 'admits'>
}

/** `tars.tarsproperty.PropertyObj` (framework-services 7), whose reportPropMsg is `unread`. */
export function propertyServant({ intake, callers, check }: PropertyServantOptions) {
  const reporterOf = ({ caller, peer }: Current): Reporter => {
    const pod = callers.at(peer.address)
    const first = caller.split('.', 1)[0] ?? ''
    return { node: (server) => pod?.pod ?? callers.sharerAt(caller, server) ?? (callers.isPod(first) ? first : caller), address: peer.address, owner: pod?.owner, isOwner: callers.isOwner, mayReport: (server: string) => check.admits(peer.address, server) }
  }
  return {
    async reportPropMsg(report: Reader, current: Current): Promise<number> {
      const sender = intake.begin(callers.version, `${current.peer.address} ${current.caller}`)
      reading(() => readValues(report, 1, intake, sender))
      const mean = (sense: number): Key | Reason => {
        const { head, policy, bucket } = aboutOf(intake, sense)
        return keyOfValue(reading(() => headOf(head)), policy, bucket, reporterOf(current))
      }
      await intake.count(0, mean)
      return 0
    },
  }
}
