// One image, three supervisors: the baked one, one that is copied into the pod, one that is mounted; and what probes add.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ServerList, ServerRow } from '../../framework/admin/contract.ts'
import type { Pod } from '../../framework/local/pods/kinds.ts'
import { helloIdl } from '../../framework/local/samples/pack.ts'
import { runCrane } from '../imagebuilder/rig/image.ts'
import { LocalCluster, until, type Output } from '../rig/local-cluster.ts'
import { cacheDir } from '../rig/tools.ts'

let cluster: LocalCluster
let nodeImage: string
/** Digest of the service's image: never another one in this file. */
let imageID: string
const injectedAt = '/usr/local/app/tars/tarsnode'

beforeAll(async () => {
  cluster = await LocalCluster.start(['--samples', '--cache', join(cacheDir, 'local')])
  nodeImage = ok(await cluster.cli('base', 'node')).trim()
  imageID = (await activePod()).status?.containerStatuses?.[0]?.imageID ?? ''
})

afterAll(async () => {
  await cluster?.remove()
})

function ok({ code, out, err }: Output): string {
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' })
  return out
}

async function row(): Promise<ServerRow | undefined> {
  const list = JSON.parse(ok(await cluster.cli('status', '--json'))) as ServerList
  return list.servers.find(({ app, server }) => `${app}.${server}` === 'Demo.HelloServer')
}

async function pod(): Promise<Pod | undefined> {
  const { code, out } = await cluster.kubectl(['get', 'pod', 'demo-helloserver-0', '-o', 'json'])
  return code === 0 ? (JSON.parse(out) as Pod) : undefined
}

const condition = (found: Pod | undefined, type: string): string | undefined => found?.status?.conditions?.find((one) => one.type === type)?.status

/** The pod once it is ready and another than `before`. */
function activePod(before?: Pod): Promise<Pod> {
  return until(async () => {
    const found = await pod()
    return found !== undefined && found.metadata.uid !== before?.metadata.uid && condition(found, 'Ready') === 'True' && found
  })
}

async function greets(): Promise<void> {
  const { greeting } = JSON.parse(ok(await cluster.cli('call', 'Demo.HelloServer.HelloObj', 'greet', '"you"', '--tars', helloIdl))) as { greeting: { text: string } }
  expect(greeting.text).toBe('Hello, you!')
}

interface Inside { readonly pid: number; readonly commandLine: string; readonly mounts: string }

/** The processes of the pod, by their pid in it, as the host sees them. */
async function processes({ metadata }: Pod): Promise<ReadonlyMap<number, Inside>> {
  const found = new Map<number, Inside>()
  for (const name of (await readdir('/proc')).filter((text) => /^\d+$/.test(text))) {
    const [status = '', commandLine = '', mounts = ''] = await Promise.all(['status', 'cmdline', 'mountinfo'].map((file) => readFile(`/proc/${name}/${file}`, 'utf8'))).catch(() => [])
    const inner = /^NSpid:\s+(?:\d+\s+)+(\d+)$/m.exec(status)?.[1]
    if (inner !== undefined && mounts.includes(cluster.dataDir) && mounts.includes(metadata.uid ?? 'none')) found.set(Number(inner), { pid: Number(name), commandLine, mounts })
  }
  return found
}

async function first(of: Pod): Promise<Inside> {
  return (await processes(of)).get(1) ?? expect.fail('the pod has no PID 1')
}

/** Where the supervisor was started from; undefined for another program. A service has paths below the injected one's among its arguments, too. */
const supervisorDir = (commandLine: string): string | undefined => /(?:^|\0)((?:\/usr\/local\/app\/tars)?\/tarsnode)\/(?:bin|lib)\//.exec(commandLine)?.[1]
const mountedAt = (mounts: string, path: string): string | undefined => mounts.split('\n').find((line) => line.split(' ')[4] === path)
const setServer = async (spec: object): Promise<void> => void ok(await cluster.kubectl(['patch', 'tserver', 'demo-helloserver', '--type', 'merge', '-p', JSON.stringify({ spec })]))
const setFramework = async (image: object | null): Promise<void> => void ok(await cluster.kubectl(['patch', 'tframeworkconfig', 'tars-framework', '--type', 'merge', '-p', JSON.stringify({ nodeImage: image })]))

it('the baked one runs first', async () => {
  const baked = await activePod()
  const { commandLine, mounts } = await first(baked)
  expect(baked.spec.initContainers).toBeUndefined()
  expect(supervisorDir(commandLine)).toBe('/tarsnode')
  expect(mountedAt(mounts, '/tarsnode')).toBeUndefined()
})

it('a node image of the release is copied into the pod and wins; the service is the same image', async () => {
  const before = await activePod()
  await setServer({ release: { nodeImage } })
  const injected = await activePod(before)
  expect(injected.status?.initContainerStatuses).toMatchObject([{ name: 'tarsnode', image: nodeImage, ready: true, state: { terminated: { exitCode: 0 } } }])
  expect(injected.status?.containerStatuses?.map((status) => status.imageID)).toEqual([imageID])
  expect(supervisorDir((await first(injected)).commandLine)).toBe(injectedAt)
  await greets()
})

it('an image made by hand FROM the base image needs nothing but the package and its type', async () => {
  const before = await activePod()
  const image = before.spec.containers[0]?.image ?? ''
  const { releases } = JSON.parse(ok(await cluster.kubectl(['get', 'timage', 'nodejsbase', '-o', 'json']))) as { releases: { image: string }[] }
  const { layers } = JSON.parse(await runCrane('manifest', '--insecure', image)) as { layers: { digest: string }[] }
  const layer = join(cluster.dataDir, 'package.tar.gz')
  const [registry = '', ...repository] = image.replace(/:[^:/]*$/, '').split('/')
  await writeFile(layer, new Uint8Array(await (await fetch(`http://${registry}/v2/${repository.join('/')}/blobs/${layers.at(-1)?.digest}`)).arrayBuffer()))
  const byHand = image.replace(/:[^:/]*$/, ':by-hand')
  await runCrane('append', '--insecure', '-b', releases[0]?.image ?? '', '-f', layer, '-t', byHand)
  await runCrane('mutate', '--insecure', byHand, '-e', 'ServerType=nodejs', '-t', byHand)
  const { spec: { release } } = JSON.parse(ok(await cluster.kubectl(['get', 'tserver', 'demo-helloserver', '-o', 'json']))) as { spec: { release: { id: string; image: string } } }
  await setServer({ release: { id: 'by-hand', image: byHand } })
  const made = await activePod(before)
  expect(supervisorDir((await first(made)).commandLine)).toBe(injectedAt)
  await greets()
  await setServer({ release: { id: release.id, image: release.image } })
  await activePod(made)
})

it('mounted, it needs no init container and no copy', async () => {
  const before = await activePod()
  await setFramework({ image: nodeImage, injection: 'imageVolume' })
  const mounted = await activePod(before)
  expect(mounted.spec.initContainers).toBeUndefined()
  expect(mounted.status?.containerStatuses?.map((status) => status.imageID)).toEqual([imageID])
  const { commandLine, mounts } = await first(mounted)
  expect(supervisorDir(commandLine)).toBe('/tarsnode')
  expect(mountedAt(mounts, '/tarsnode')?.split(' ')[5]).toMatch(/^ro\b/)
  await greets()
})

it('and back to the baked one', async () => {
  const before = await activePod()
  await setFramework(null)
  // Without the framework's settings the release's image is copied again, so the next pod may be of either kind.
  await setServer({ release: { nodeImage: null, nodeSecret: null } })
  const baked = await until(async () => {
    const found = await activePod(before)
    return found.spec.initContainers === undefined && found.spec.volumes?.every(({ image }) => image === undefined) === true && found
  })
  expect(baked.status?.containerStatuses?.map((status) => status.imageID)).toEqual([imageID])
  expect(mountedAt((await first(baked)).mounts, '/tarsnode')).toBeUndefined()
  await greets()
})

it('a foreground pod whose tarsnode is dead is not ready and not called, while its service goes on', async () => {
  const before = await activePod()
  await setServer({ k8s: { launcherType: 'foreground' } })
  const foreground = await activePod(before)
  await greets()
  const all = await processes(foreground)
  const service = all.get(1) ?? expect.fail('no PID 1')
  expect(supervisorDir(service.commandLine)).toBeUndefined()
  const tarsnode = [...all.values()].find(({ commandLine }) => supervisorDir(commandLine) !== undefined) ?? expect.fail('no tarsnode beside the service')
  process.kill(tarsnode.pid, 'SIGKILL')
  await until(async () => condition(await pod(), 'Ready') === 'False')
  // tarsadmin and tarsregistry have watches of their own.
  await until(async () => (await row())?.state !== 'Active')
  await until(async () => (await cluster.cli('call', 'Demo.HelloServer.HelloObj', 'greet', '"you"', '--tars', helloIdl)).code === 1)
  expect((await first(foreground)).pid).toBe(service.pid)
})
