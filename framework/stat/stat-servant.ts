import type { CallerCheck } from '#kube/caller-check.ts'
import type { Callers } from '#kube/callers.ts'
import type { Intake } from '#store/intake.ts'
import type { Key, Reason } from '#store/known.ts'
import type { Reader } from '#tars/codec/reader.ts'
import type { StatSampleMsg } from '#tars/protocol/StatF.ts'
import type { Current } from '#tars/server.ts'
import { reading } from '#tars/server/unread.ts'
import { keyOfHead, type Reporter } from './model/record.ts'
import { headOf, readLines, variants } from './stat-lines.ts'

export interface StatServantOptions {
  readonly intake: Intake
  readonly callers: Pick<Callers, 'at' | 'sharerAt' | 'isPod' | 'isOwner' | 'version'>
  /** Who may report of a server. */
  readonly check: Pick<CallerCheck, 'admits'>
  readonly samples: { taken: number }
}

/** `tars.tarsstat.StatObj` (framework-services 6), whose reportMicMsg is `unread`. */
export function statServant({ intake, callers, check, samples }: StatServantOptions) {
  /** An address, which a pod may share with its host, or a DNS name, which begins with the pod's name. */
  const host = (text: string, server: string): string => {
    const first = text.split('.', 1)[0] ?? ''
    return callers.at(text)?.pod ?? callers.sharerAt(text, server) ?? (callers.isPod(first) ? first : text)
  }
  const reporterOf = ({ caller, peer }: Current): Reporter => {
    const pod = callers.at(peer.address)
    return { node: (server) => pod?.pod ?? host(caller, server), address: peer.address, owner: pod?.owner, isOwner: callers.isOwner, mayReport: (server: string) => check.admits(peer.address, server), host }
  }
  return {
    async reportMicMsg(report: Reader, current: Current): Promise<number> {
      const sender = intake.begin(callers.version, `${current.peer.address} ${current.caller}`)
      const fromClient = reading(() => {
        readLines(report, 1, intake, sender)
        return report.readBool(2)
      })
      const mean = (sense: number): Key | Reason => {
        const bytes = intake.known.bytesOf(Math.floor(sense / variants))
        return keyOfHead(reading(() => headOf(bytes)), fromClient, reporterOf(current))
      }
      await intake.count(Number(fromClient), mean)
      return 0
    },
    // Sampled call trees are not kept; whoever reports them is told that they arrived, as by native.
    reportSampleMsg(msg: readonly StatSampleMsg[]): number {
      samples.taken += msg.length
      return 0
    },
  }
}
