// One server with its pods, and how it is. Pure.
import { hasNode } from '#api/node.ts'
import { effectiveReplicas } from '#api/replicas.ts'
import type { TEndpoint, TServer } from '#api/types.ts'
import type { PodRow, ReleaseRow, ServantRow, ServerRow, ServerState } from '../contract.ts'
import { isActive, podRow, type PodObject } from './pod-row.ts'

/** @param findPod the Kubernetes pod of a name, when known */
export function serverRow(server: TServer, endpoint: TEndpoint | undefined, findPod: (name: string) => PodObject | undefined): ServerRow {
  const { app, server: name, variant, subType, tars, k8s } = server.spec
  const pods = (endpoint?.status?.pods ?? []).map((entry) => podRow(entry, findPod(entry.name))).sort(byName)
  const ready = pods.filter(isActive).length
  // A DaemonSet has as many as there are nodes: as many as there are.
  const replicas = k8s.daemonSet ? pods.length : effectiveReplicas(server)
  return {
    name: server.metadata.name,
    app,
    server: name,
    ...(variant === undefined ? {} : { variant }),
    generation: server.metadata.generation ?? 0,
    subType,
    hasNode: hasNode(server.spec),
    type: tars?.template ?? '',
    release: releaseOf(server),
    replicas,
    ready,
    ...judge({ released: server.spec.release !== undefined, replicas, ready, pods }),
    servants: servantsOf(server),
    pods,
  }
}

interface Facts {
  readonly released: boolean
  readonly replicas: number
  readonly ready: number
  readonly pods: readonly PodRow[]
}

function judge({ released, replicas, ready, pods }: Facts): { readonly state: ServerState; readonly message: string } {
  const current = pods.filter(({ presentState }) => presentState !== 'Terminating')
  const message = current.find((pod) => !isActive(pod) && pod.message !== '')?.message ?? ''
  if (!released) return { state: 'Unreleased', message: 'nothing was released yet' }
  if (replicas === 0) return { state: 'Stopped', message: '' }
  if (ready >= replicas) return { state: 'Active', message: '' }
  if (current.length > 0 && current.every(({ settingState }) => settingState === 'Inactive')) return { state: 'Stopped', message: 'stopped by command' }
  if (ready > 0) return { state: 'Degraded', message }
  return { state: message === '' ? 'Starting' : 'Failing', message }
}

function releaseOf({ spec: { release } }: TServer): ReleaseRow | null {
  if (release === undefined) return null
  return { id: release.id, image: release.image, ...(release.time === undefined ? {} : { time: release.time }) }
}

function servantsOf({ spec: { app, server, tars, normal } }: TServer): ServantRow[] {
  const servants = (tars?.servants ?? []).map(({ name, port, isTcp, isTars, isSsl = false, auth = false }) => ({ name, obj: `${app}.${server}.${name}`, port, isTcp, isTars, ...(isSsl ? { isSsl } : {}), ...(auth ? { auth } : {}) }))
  const ports = (normal?.ports ?? []).map(({ name, port, isTcp }) => ({ name, obj: `${app}.${server}.${name}`, port, isTcp, isTars: false }))
  return [...servants, ...ports]
}

function byName(a: PodRow, b: PodRow): number {
  return a.name.localeCompare(b.name, 'en', { numeric: true })
}
