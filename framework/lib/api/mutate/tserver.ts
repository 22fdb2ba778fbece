import { activeCondition, annotations, labels } from '../names.ts'
import { withLabels } from '../meta.ts'
import { mayHaveReplicas, replicaBounds } from '../replicas.ts'
import type { TImage, TServer, TServerK8S, TServerRelease } from '../types.ts'

/** What the defaulting of a TServer needs from elsewhere. */
export interface ServerDefaults {
  /** RFC 3339. */
  readonly now: string
  /** TFrameworkConfig.nodeImage; absent where the tarsnode baked into the images is to run. */
  readonly nodeImage?: { readonly image: string; readonly secret?: string | undefined } | undefined
  /** The server before an update. */
  readonly previous?: TServer | undefined
  /** What {@link findAutoRelease} found for a server that {@link wantsAutoRelease}. */
  readonly autoRelease?: TServerRelease | undefined
}

/** Labels, gates, replicas and release as control-plane spec B.1 has them. Idempotent. */
export function mutateServer(server: TServer, defaults: ServerDefaults): TServer {
  const release = completeRelease(server, defaults)
  const { release: _, normal, ...spec } = server.spec
  const metadata = withLabels(server.metadata, {
    [labels.app]: spec.app,
    [labels.server]: spec.server,
    [labels.variant]: spec.variant,
    [labels.subType]: spec.subType,
    [labels.template]: normal === undefined ? spec.tars?.template : undefined,
    [labels.serverId]: release?.id,
  })
  return {
    ...server, metadata,
    spec: {
      ...spec,
      ...(normal === undefined ? {} : { normal: { ...normal, ports: normal.ports ?? [] } }),
      k8s: completeK8S(server, release !== undefined, defaults.previous),
      ...(release === undefined ? {} : { release }),
    },
  }
}

function completeK8S(server: TServer, released: boolean, previous: TServer | undefined): TServerK8S {
  const { k8s, tars } = server.spec
  const { readinessGates, ...rest } = k8s
  const gates = [...new Set([...(tars === undefined ? [] : [activeCondition]), ...(readinessGates ?? [])])]
  const alone = (k8s.hostPorts ?? []).length > 0 || k8s.hostIPC === true
  return { ...rest, notStacked: alone || k8s.notStacked === true, replicas: replicas(server, released, previous), ...(gates.length === 0 ? {} : { readinessGates: gates }) }
}

function replicas(server: TServer, released: boolean, previous: TServer | undefined): number {
  const { autoscaling } = server.spec.k8s
  // What is left out is the autoscaler's, which leaves a server of no pods alone.
  const kept = autoscaling === undefined ? undefined : previous?.spec.k8s.replicas
  const asked = server.spec.k8s.replicas ?? kept ?? 1
  const given = asked === 0 && released && previous?.spec.release === undefined ? (autoscaling?.minReplicas ?? asked) : asked
  // What the CRD refuses must reach it.
  if (!mayHaveReplicas(given)) return given
  if (!released) return 0
  const { min, max } = replicaBounds(server)
  return Math.min(max, Math.max(min, given))
}

function completeRelease(server: TServer, { now, nodeImage, autoRelease }: ServerDefaults): TServerRelease | undefined {
  const given = server.spec.release ?? autoRelease
  if (given === undefined) return undefined
  const { nodeImage: image, nodeSecret: secret, ...plain } = { ...given, time: given.time ?? now }
  if (server.spec.normal !== undefined) return plain
  if (image !== undefined && image !== '') return { ...plain, nodeImage: image, ...(secret === undefined ? {} : { nodeSecret: secret }) }
  if (nodeImage === undefined) return plain
  return { ...plain, nodeImage: nodeImage.image, ...(nodeImage.secret === undefined ? {} : { nodeSecret: nodeImage.secret }) }
}

/** True when the server asks for the default release of its TImage (annotation AutoRelease). */
export function wantsAutoRelease({ metadata, spec }: TServer): boolean {
  const wish = metadata.annotations?.[annotations.autoRelease]
  return wish !== undefined && wish !== 'false' && spec.release === undefined
}

/** Servers that DCache makes, by the ends of their names: `<module>KVCacheServer1-1`, of group and shard. */
const madeByDcache = /(ProxyServer|RouterServer|TCacheServer|M?KVCacheServer|D[Bb]AccessServer)(\d+-\d+)?$/

/** The servers whose TImages have what this one runs, the nearest first: DCache makes many servers of few programs (control-plane B.1, 7). */
export function imageServerNames({ app, server }: Pick<TServer['spec'], 'app' | 'server'>): readonly string[] {
  const end = app === 'DCache' ? madeByDcache.exec(server)?.[1] : undefined
  // The one program whose servers are not called after it.
  const program = end === 'DbAccessServer' ? 'CombinDbAccessServer' : end
  return program === undefined || program === server ? [server] : [server, program]
}

/** The default release among TImages of {@link imageServerNames}, in their order; undefined when none says one. */
export function findAutoRelease(images: readonly TImage[]): TServerRelease | undefined {
  for (const { releases, default: id } of images) {
    const found = id === undefined ? undefined : releases?.find((release) => release.id === id)
    if (found !== undefined) return { id: found.id, image: found.image, ...(found.secret === undefined ? {} : { secret: found.secret }) }
  }
  return undefined
}
