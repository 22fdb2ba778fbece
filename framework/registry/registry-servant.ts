import { ownerNameOf, serverObjectName } from '#api/names.ts'
import type { TTemplate } from '#api/types.ts'
import { addressesOf } from '#api/topology.ts'
import { isIP } from 'node:net'
import { plainAddress } from '#base/address.ts'
import { Limiter } from '#base/limiter.ts'
import type { Logger } from '#base/log.ts'
import { describe } from '#base/errors.ts'
import type { CallerCheck } from '#kube/caller-check.ts'
import { isOlderVersion } from '#kube/types.ts'
import type { RegistryServant } from '#tars/protocol/Registry.ts'
import { TarsCallError, type Current } from '#tars/server.ts'
import { isOwnPod } from './caller.ts'
import { checkReport, plainMessage, shownAt } from './condition.ts'
import type { Speaker } from './early-words.ts'
import { describeServer, emptyDescriptor } from './model/descriptor.ts'
import type { Directory } from './model/directory.ts'
import type { PodObject, ReportedState } from './model/pod-state.ts'
import { nativeFunctions } from './native-functions.ts'
import type { Reports } from './reports.ts'

export interface RegistryServantOptions {
  readonly directory: Directory<unknown>
  readonly reports: Reports
  /** Who may command the nodes of a server. */
  readonly check: CallerCheck
  /** Who may have the descriptor of a server, which may hold secrets. */
  readonly descriptors: CallerCheck
  readonly template: (name: string) => TTemplate | undefined
  /** Asks the API server for a pod that the watch has not shown yet, or not with its address; undefined when there is none of a server. */
  readonly fetchPod: (name: string) => Promise<PodObject | undefined>
  readonly log: Logger
}

/** `iRet` for a report that may be taken later: the caller tells it again. */
const again = -99

/** Answers of checkCaller. */
const verdict = { unchecked: 0, yes: 1, no: 2, otherPod: 3 } as const

/** Pods that may be asked for on behalf of one address. */
const lookupLimit = { windowMs: 1000, count: 20 } as const

/** `tars.tarsregistry.RegistryObj`, what a pod's node speaks to (framework-services 1.7). */
export function registryServant({ directory, reports, check, descriptors, template, fetchPod, log }: RegistryServantOptions): RegistryServant {
  const lookups = new Limiter(lookupLimit)
  const report = async (podName: string, state: ReportedState, current: Current): Promise<void> => {
    try {
      checkReport(podName, state)
    } catch (error) {
      log.error('state report refused', { peer: current.peer.address, error: describe(error) })
      return
    }
    const came = Math.floor(Date.now() / 1000)
    const watched = directory.pod(podName)
    const isKnown = watched !== undefined && isOwnPod(watched, current.peer.address)
    const pod = isKnown ? watched : await podNow(podName, current.peer.address)
    if (pod === 'away') return putOff({ podName, uid: undefined }, state, current, `pod ${podName} is not known yet`)
    if (!isKnown && state.saidAt === undefined && pod !== undefined && (shownAt(pod) ?? 0) > came) throw saidMore(podName)
    // Without an address nobody can tell whose word it is; the kubelet tells it before long.
    if (pod !== undefined && addressesOf(pod).length === 0) return putOff({ podName, uid: pod.metadata.uid }, state, current, `the address of pod ${podName} is not known yet`)
    if (pod !== undefined && isOwnPod(pod, current.peer.address)) accept(pod, state, current)
    else log.error('state report refused: only a pod itself may report its state', { pod: podName, peer: current.peer.address, addresses: pod === undefined ? [] : addressesOf(pod) })
  }
  /** Who says no time does not say it again either, as the tarsnode of K8SFramework: its next word may be minutes away. */
  const putOff = (speaker: Omit<Speaker, 'address'>, state: ReportedState, { peer }: Current, why: string): void => {
    if (state.saidAt !== undefined) throw new TarsCallError(again, why, { temporary: true })
    reports.keep({ ...speaker, address: plainAddress(peer.address) }, state)
  }
  /** A word that comes late is not taken. Nor is one by a clock that was set back: whoever waits for the answer tells it again, with a time after the one that it says. */
  const accept = (pod: PodObject, state: ReportedState, { responseContext }: Current): void => {
    const latest = reports.accept(pod, state)
    if (latest === undefined) return
    responseContext.set('Time', String(latest))
    throw saidMore(pod.metadata.name)
  }
  /** When who speaks is not the one that the watch has shown: another pod of the name may have begun. */
  const podNow = async (podName: string, peer: string): Promise<PodObject | 'away' | undefined> => {
    // What one address makes up must not become the API server's work.
    if (!lookups.take(plainAddress(peer), performance.now()).taken) throw new TarsCallError(again, 'too many pods are asked for from this address', { temporary: true })
    try {
      const pod = await fetchPod(podName)
      const shown = directory.pod(podName)
      return shown !== undefined && isOlderVersion(pod?.metadata.resourceVersion, shown.metadata.resourceVersion) ? shown : pod
    } catch (error) {
      log.error('a state report waits, or must be told again: its pod is not known here, and the API server does not answer', { pod: podName, error })
      return 'away'
    }
  }

  /** `App.Server` as the server itself writes it: it is found by any case. */
  const ownName = (app: string, server: string): string => {
    const { spec } = directory.endpointOf(app, server) ?? { spec: { app, server } }
    return `${spec.app}.${spec.server}`
  }
  const none = () => ({ return: -1, descriptor: emptyDescriptor() })
  const descriptorOf = (app: string, server: string, current: Current) => {
    const pod = directory.podOf({ name: current.caller, address: plainAddress(current.peer.address) })
    const owner = ownerIn(current, pod, serverObjectName(app, server))
    const endpoint = directory.endpointOf(app, server, owner)
    if (endpoint === undefined) {
      log.error('no descriptor: there is no such server', { server: `${app}.${server}`.slice(0, 128), tserver: owner, remedy: 'check spec.app and spec.server of the TServer' })
      return none()
    }
    const { descriptor, problem } = describeServer(endpoint, template, podNameIn(current, pod))
    if (problem !== undefined) log.error('server has no complete configuration', { server: `${app}.${server}`, problem })
    return { return: problem === undefined ? 0 : -1, descriptor }
  }

  return {
    ...nativeFunctions({ directory, template, check: descriptors, report }),
    getServerDescriptor(app, server, current) {
      return descriptors.guard(current.peer.address, ownName(app, server), () => descriptorOf(app, server, current), none)
    },
    checkCaller(address, app, server, { peer }) {
      if (!check.isOn) return verdict.unchecked
      if (isIP(address) === 0) return verdict.no
      const caller = { name: '', address: plainAddress(address) }
      const no = () => (directory.podOf(caller) === undefined ? verdict.no : verdict.otherPod)
      // What a node makes up must not become the API server's work.
      const maybeAsked = directory.ownersAt(caller.address).length > 0 || lookups.take(plainAddress(peer.address), performance.now()).taken
      if (!maybeAsked) return check.admits(address, ownName(app, server)) ? verdict.yes : no()
      return check.guard<number>(address, ownName(app, server), () => verdict.yes, no)
    },
    updateServerState(podName, settingState, presentState, current) {
      const { context } = current
      const told = (key: string) => context.get(key) ?? ''
      const time = context.get('Time')
      const state = { setting: settingState, present: presentState, pid: pidOf(told('PID')), message: plainMessage(told('Message')), restarts: told('Restarts'), ...(time === undefined ? {} : { saidAt: Number(time) }) }
      return report(podName, state, current)
    },
  }
}

/** The tarsnode of K8SFramework says -1 while it runs no process. */
const pidOf = (told: string): string => (told === '-1' ? '' : told)

const saidMore = (podName: string): TarsCallError => new TarsCallError(again, `pod ${podName} has said more since, or was made since`, { temporary: true })

/**
 * Name of the TServer that the caller is a pod of: one that the watch has not shown yet says its DNS name, `<pod>.<TServer>`. Undefined
 * for whoever is no pod of the server.
 * @param first name of the server's first TServer, with which those of its variants begin
 */
function ownerIn({ caller }: Current, pod: PodObject | undefined, first: string): string | undefined {
  const owner = pod === undefined ? caller.split('.', 2)[1] : ownerNameOf(pod.metadata.labels)
  return owner === first || owner?.startsWith(`${first}-`) === true ? owner : undefined
}

function podNameIn({ caller }: Current, pod: PodObject | undefined): string {
  return pod?.metadata.name ?? caller.split('.', 1)[0] ?? ''
}
