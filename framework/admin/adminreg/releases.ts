// Releases: which there are, which one runs, and how far a change of it has come. A release is an image here, and every node of a
// TServer runs the same; what native calls a patch is the release of the node's TServer.
import { createHash } from 'node:crypto'
import { annotations, labels, serverObjectName } from '#api/names.ts'
import { imageServerNames } from '#api/mutate/tserver.ts'
import { resources } from '#api/resources.ts'
import type { TImage, TImageRelease, TServer } from '#api/types.ts'
import { retry } from '#base/retry.ts'
import type { KubeClient } from '#kube/client.ts'
import { isConflict } from '#kube/errors.ts'
import { createPatchInfo, createPatchPackage, type AdminRegServant, type PatchInfo, type PatchRequest } from '#tars/protocol/AdminReg.ts'
import type { PodRow } from '../contract.ts'
import { isActive } from '../model/pod-row.ts'
import { changeServer, liveServers } from './change.ts'
import { attempt, codes, done, labelValue, Refusal, type Outcome } from './outcome.ts'
import { hasNode, knownServers, nodeNames, site } from './places.ts'
import type { World } from './world.ts'

/** Within it the read model hears of what was written. Milliseconds. */
const heardMs = 10_000

type Functions = Pick<AdminRegServant, 'batchPatch' | 'getPatchPercent' | 'updatePatchLog' | 'deletePatchFile' | 'getPatchPackage'>

export function releaseFunctions(world: World): Functions {
  const { client, namespace } = world
  return {
    batchPatch: (request) => release(world, request),
    getPatchPercent: (app, server, node) => patchPercent(world, { app, server, node }),
    // The TServer says itself what it runs.
    updatePatchLog: () => codes.success,
    async deletePatchFile(app, server, file) {
      const id = file.replace(/\.(tgz|tar\.gz|war|jar)$/, '')
      // Builds write the same object, and others delete of it.
      const { return: code } = await attempt(() => retry(() => deleteRelease(world, { app, server, id }), { when: isConflict, baseMs: 20 }))
      return code
    },
    async getPatchPackage(app, server, _type, defaultVersion) {
      const patchPackage = createPatchPackage()
      const { return: code } = await attempt(async () => {
        const found = (await imagesOf(client, namespace, app, server)).flatMap(({ releases = [], default: standard }) => {
          const chosen = defaultVersion === 1 ? (releases.find(({ id }) => id === standard) ?? releases[0]) : releases[0]
          return chosen === undefined ? [] : [chosen]
        })[0]
        if (found === undefined) throw new Refusal(codes.noRelease, `${app}.${server} has no release`)
        patchPackage.id = releaseNumber(found.id)
        return done('Success')
      })
      return { return: code, patchPackage }
    },
  }
}

async function deleteRelease({ view, client, namespace }: World, { app, server, id }: { readonly app: string; readonly server: string; readonly id: string }): Promise<Outcome> {
  if (knownServers(view, app, server).some(({ release: current }) => current?.id === id)) throw new Refusal(codes.state, `release ${id} runs`, 'release another one first')
  const image = (await imagesOf(client, namespace, app, server)).find(({ releases = [] }) => releases.some((one) => one.id === id))
  if (image === undefined) throw new Refusal(codes.noRelease, `${app}.${server} has no release ${id}`)
  // Servers of one program, as DCache has many, have their releases in common.
  const { releases = [], metadata: { name, resourceVersion } } = image
  const text = releases.find((one) => one.id === id)?.image
  const other = view.servers().find(({ release: current }) => current?.id === id && current.image === text)
  if (other !== undefined) throw new Refusal(codes.state, `release ${id} runs as ${other.app}.${other.server}`, 'release another one there first')
  await client.patch(resources.timages, { namespace, name }, { metadata: { resourceVersion }, releases: releases.filter((one) => one.id !== id) })
  return done('Success')
}

/** When a release is where it shall be: natively when the node has it; a task goes on until the server runs. */
export type Goal = 'there' | 'running'

/** How far a node has come to the release of its server. */
export async function patchPercent({ view }: Pick<World, 'view'>, { app, server, node }: { readonly app: string; readonly server: string; readonly node: string }, goal: Goal = 'there'): Promise<{ return: number; tPatchInfo: PatchInfo }> {
  const tPatchInfo = createPatchInfo()
  const { return: code, result } = await attempt(async () => {
    const { row, pod } = site(view, app, server, node)
    Object.assign(tPatchInfo, progress(pod, view.tserver(row.name), goal))
    return done('Success')
  })
  return { return: code, tPatchInfo: code === codes.success ? tPatchInfo : createPatchInfo({ sResult: result }) }
}

/** A positive number for a release id, for callers who know packages by number. */
function releaseNumber(id: string): number {
  return (createHash('sha256').update(id).digest().readUInt32BE(0) & 0x7fffffff) || 1
}

/** The TImages with the releases of a server, the nearest first: by their labels and, for one that has none, by the name that tarsimage knows it by. */
async function imagesOf(client: KubeClient, namespace: string, app: string, server: string): Promise<readonly TImage[]> {
  const selectors = imageServerNames({ app, server }).flatMap((name) => [
    { labelSelector: `${labels.app}=${labelValue(app)},${labels.server}=${labelValue(name)}` },
    { fieldSelector: `metadata.name=${serverObjectName(app, name)}` },
  ])
  const found = await Promise.all(selectors.map((selector) => client.list<TImage>(resources.timages, { namespace, ...selector })))
  return [...new Map(found.flatMap(({ items }) => items).map((image) => [image.metadata.name, image])).values()].filter(({ imageType }) => imageType === 'server')
}

/**
 * Makes a release what the node's TServer runs; without a node that is known, what the server and all its variants run. One that
 * was released before by the same request is left alone.
 */
export async function release({ view, client, namespace }: World, { appname: app, servername: server, nodename: node, version, user }: Pick<PatchRequest, 'appname' | 'servername' | 'nodename' | 'version' | 'user'>): Promise<Outcome> {
  return attempt(async () => {
    const images = await imagesOf(client, namespace, app, server)
    const found = findRelease(images, version)
    if (found === undefined) {
      const known = images.flatMap(({ releases = [] }) => releases.map(({ id }) => id))
      throw new Refusal(codes.noRelease, `${app}.${server} has no release ${version}`, known.length === 0 ? 'build one with "tarsk8s release"' : `its releases are ${known.slice(0, 10).join(', ')}`)
    }
    const all = await liveServers(client, { namespace, app, server })
    if (all.length === 0) throw new Refusal(codes.noServer, `there is no server ${app}.${server}`)
    const own = all.filter((one) => hasNode(view, one, node))
    const released = own.length > 0 ? own : all
    for (const { spec: { variant } } of released) await changeServer(client, { namespace, app, server, variant }, (current) => releasePatch(current, found, user))
    // Who asks next for its progress is not to hear of the release before.
    await Promise.all(released.map(({ metadata: { name } }) => view.untilServer(name, ({ spec }) => spec.release?.id === found.id, heardMs)))
    const names = released.map(({ spec: { variant } }) => `${app}.${server}${variant === undefined ? '' : `/${variant}`}`)
    return done(`Success: ${names.join(', ')} ${names.length === 1 ? 'gets' : 'get'} release ${found.id}`)
  })
}

function findRelease(images: readonly TImage[], version: string): TImageRelease | undefined {
  for (const { releases = [], default: standard } of images) {
    const found = version === '' ? (releases.find(({ id }) => id === standard) ?? releases[0]) : releases.find(({ id }) => id === version || String(releaseNumber(id)) === version)
    if (found !== undefined) return found
  }
  return undefined
}

function releasePatch(server: TServer, { id, image, secret }: TImageRelease, user: string): object | undefined {
  const { release: current, k8s } = server.spec
  if (current?.id === id && current.image === image && (current.secret ?? '') === (secret ?? '')) return undefined
  // What was never released has no pods yet.
  const first = current === undefined && (k8s.replicas ?? 0) === 0 && !k8s.daemonSet ? { k8s: { replicas: Math.max(1, nodeNames(server).length) } } : {}
  return {
    metadata: { annotations: { [annotations.releasedBy]: user === '' ? null : user } },
    spec: { release: { id, image, secret: secret ?? null, time: new Date().toISOString() }, ...first },
  }
}

const percentWhileStarting = 50

/** What tarsnode says of its service: by then the image is on the machine. */
const ofNode = new Set(['Activating', 'Active', 'Deactivating', 'Inactive'])

/** Whether a pod of the release has come as far as is wanted; one that was stopped comes no further. */
const isThere = (pod: PodRow, goal: Goal): boolean => isActive(pod) || pod.settingState === 'Inactive' || (goal === 'there' && ofNode.has(pod.presentState))

/** How far a pod has come to its server's release. @param pod undefined: it is still to be made */
function progress(pod: PodRow | undefined, server: TServer | undefined, goal: Goal): Partial<PatchInfo> {
  const release = server?.spec.release
  const fixed = { iModifyTime: Math.floor(Date.parse(release?.time ?? '') / 1000) || 0, sVersion: release?.id ?? '' }
  if (release === undefined) return { ...fixed, bPatching: false, iPercent: 0, sResult: 'nothing was released yet', bSucc: false }
  if (pod?.releaseId !== release.id) return { ...fixed, bPatching: true, iPercent: 0, sResult: pod?.presentState ?? 'the pod is being made', bSucc: false }
  if (isThere(pod, goal)) return { ...fixed, bPatching: false, iPercent: 100, sResult: 'Success', bSucc: true }
  if (pod.message !== '' && pod.presentState !== 'Terminating') return { ...fixed, bPatching: false, iPercent: percentWhileStarting, sResult: `${pod.presentState}: ${pod.message}`, bSucc: false }
  return { ...fixed, bPatching: true, iPercent: percentWhileStarting, sResult: pod.presentState, bSucc: false }
}
