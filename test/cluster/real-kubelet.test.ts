// Baked images on a real kubelet: pulled from our registry, tarsnode as PID 1, active by our tarsregistry, called through it; and
// replaced by others while they are called.
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TEndpoint } from '#api/types.ts'
import type { Resource } from '#kube/types.ts'
import { Communicator } from '#tars/client.ts'
import { Node, type NodeProxy } from '#tars/protocol/Node.ts'
import { writeNodeImage } from '../../framework/local/node-image.ts'
import type { Pod } from '../../framework/local/pods/kinds.ts'
import { packSamples } from '../../framework/local/samples/pack.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { javaPackage, javaWar } from '../compat/java-package.ts'
import { tgz, write } from '../imagebuilder/rig/archives.ts'
import { imageCache, isReady, TarsCluster, type Service } from '../rig/kubernetes/tars-cluster.ts'
import { run } from '../rig/local-cluster.ts'
import { cacheDir, debianTool } from '../rig/tools.ts'
import { rawCaller, relaying, shortly, type Caller } from './callers/callers.ts'
import type { Tally } from './callers/raw-caller.ts'

let tars: TarsCluster
beforeAll(async () => {
  tars = await TarsCluster.start()
})
afterAll(async () => {
  await tars?.stop()
})

const sample = async (index: 0 | 1): Promise<string> => (await packSamples({ cacheDir: imageCache }))[index].file
const smallHeap = 'jvmparams=-Xms16m -Xmx128m'
/** On a busy machine a call may take long. */
const profile = (...lines: readonly string[]): string => `<tars>\n<application>\n<client>\nasync-invoke-timeout=60000\n</client>\n<server>\n${lines.join('\n')}\n</server>\n</application>\n</tars>`
const all = [
  { server: 'HelloServer', type: 'nodejs', base: 'nodejs', template: 'tars.nodejs', port: 10001, profile: profile(), file: () => sample(0) },
  { server: 'NativeServer', type: 'nodejs-pkg', base: 'cpp', template: 'tars.default', port: 10002, file: () => sample(1) },
  { server: 'JavaServer', type: 'java-jar', base: 'java', template: 'tars.java', port: 10003, profile: profile(smallHeap), file: javaPackage },
] as const satisfies readonly Service[]
const [hello, native, java] = all
const war: Service = { server: 'WarServer', type: 'java-war', base: 'java', template: 'tars.java', port: 10008, profile: profile(smallHeap, 'mainclass=com.qq.tars.server.startup.Main'), file: packedWar }

/** Services of other languages, which beat for tarsnode and serve nothing. */
const beating: readonly Service[] = [
  { server: 'CServer', type: 'cpp', base: 'cpp', template: 'tars.cpp', port: 10004, file: () => compiled('CServer', 'gcc', ['-o', 'CServer', source('heartbeat.c')]) },
  { server: 'GoServer', type: 'go', base: 'static', template: 'tars.default', port: 10005, file: () => compiled('GoServer', 'go', ['build', '-o', 'GoServer', source('heartbeat.go')]) },
  { server: 'PhpServer', type: 'php', base: 'php', template: 'tars.php', port: 10006, file: () => packed('PhpServer', 'src/index.php', source('heartbeat.php')) },
  { server: 'PythonServer', type: 'python', base: 'python', template: 'tars.default', port: 10007, file: () => packed('PythonServer', 'PythonServer.py', source('heartbeat.py')) },
]
const source = (name: string): string => join(import.meta.dirname, '../node/services/languages', name)

/** What a compiler makes of a service, as its release package. */
async function compiled(server: string, compiler: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod', GOCACHE: join(cacheDir, 'go-build') }
  const { code, err } = await run(await debianTool(compiler, compiler === 'go' ? 'golang-go' : 'build-essential'), args, { cwd: tars.scratch, env })
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' })
  return packed(server, server, join(tars.scratch, server))
}

/** A release package of one file. */
async function packed(server: string, path: string, from: string): Promise<string> {
  return write(join(tars.scratch, `${server}.tgz`), tgz([{ name: `${server}/${path}`, mode: 0o755, content: await readFile(from) }]))
}

/** The war that a JDK makes of classes and libraries. */
async function packedWar(): Promise<string> {
  const folder = await javaWar()
  const file = join(tars.scratch, 'WarServer.war')
  const { code, err } = await run(await debianTool('jar', 'default-jdk-headless'), ['--create', '--file', file, '-C', join(folder, '..'), basename(folder)])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return file
}

const imageOf = (pod: Pod | undefined): string | undefined => pod?.spec.containers[0]?.image
const objectOf = ({ server }: Service): string => `Demo.${server}.HelloObj`

interface Inside {
  /** On the machine. */
  readonly pid: number
  readonly commandLine: string
}

/** Processes of the pod's container by their pid in it. */
async function processes(pod: Pod | undefined): Promise<ReadonlyMap<number, Inside>> {
  const id = pod?.status?.containerStatuses?.[0]?.containerID?.replace('containerd://', '') ?? 'none'
  const script = `for folder in /proc/[0-9]*; do
    if grep -q ${id} $folder/cgroup; then echo "\${folder#/proc/} $(sed -n 's/^NSpid:.*[[:space:]]//p' $folder/status) $(tr '\\0' ' ' < $folder/cmdline)"; fi
  done 2>/dev/null; true`
  const lines = (await tars.control.machine.run('bash', ['-c', script])).split('\n').map((line) => /^(\d+) (\d+) (.*)$/.exec(line))
  return new Map(lines.flatMap((match) => (match === null ? [] : [[Number(match[2]), { pid: Number(match[1]), commandLine: match[3] ?? '' }] as const])))
}

const isSupervisor = ({ commandLine }: Inside): boolean => /\/tarsnode\/(?:bin|lib)\//.test(commandLine)
const serviceOf = async (pod: Pod | undefined): Promise<readonly number[]> => [...(await processes(pod)).values()].filter((one) => !isSupervisor(one)).map(({ pid }) => pid)

/** Its image is built, its pod is pulled and becomes ready with tarsnode as PID 1, and the registry sends callers there. */
const becomesReady = async (service: Service): Promise<void> => {
  const reference = await tars.bake(service, 'v1')
  const { metadata } = await tars.deploy(service, reference)
  const pod = await tars.ready(service)
  expect(pod.spec.initContainers).toBeUndefined()
  const endpoint = await tars.control.machine.until(`${service.server} is in its TEndpoint`, async () => {
    const found = await tars.cluster.client.get(resources.tendpoints as Resource<TEndpoint>, { namespace: tars.cluster.namespace, name: metadata.name })
    return found.status?.pods.some(({ presentState }) => presentState === 'Active') && found
  })
  expect(endpoint.status?.pods).toMatchObject([{ name: pod.metadata.name, id: 'v1', podIP: pod.status?.podIP }])
  expect((await processes(pod)).get(1)?.commandLine).toMatch(/^\/tarsnode\//)
}
const answers = async (service: Service): Promise<void> =>
  expect((await tars.ask(service, 'greet', '"you"')).greeting).toMatchObject({ text: 'Hello, you!', server: `Demo.${service.server}` })

/** One that tarsnode reaches in each way there is. */
const variant: Service = { ...hello, server: 'VariantServer', port: 10009 }
/** The command of tarsadmin and the web: the service is started again, and its pod stays. */
const restarts = async (pod: Pod): Promise<void> => {
  const communicator = new Communicator({ timeoutMs: 60_000 })
  try {
    const before = await serviceOf(pod)
    expect(before).not.toEqual([])
    const node = communicator.proxy<NodeProxy>(Node, `tars.tarsnode.NodeObj@tcp -h ${pod.status?.podIP} -p 19385`)
    expect(await node.restartServer('Demo', variant.server)).toMatchObject({ return: 0 })
    const after = await tars.control.machine.until('the service runs again', async () => {
      const found = await tars.pod(variant)
      const now = await serviceOf(found)
      return now.length > 0 && !now.some((pid) => before.includes(pid)) && isReady(found) && found
    })
    expect(after.metadata.uid).toBe(pod.metadata.uid)
    await tars.control.machine.until('the service answers again', () => answers(variant).then(() => true))
  } finally {
    await communicator.close()
  }
}
/** Another pod, by a change of the TServer; ready, and it answers. */
const becomes = async (spec: object): Promise<Pod> => {
  const before = await tars.pod(variant)
  await tars.change(variant, spec)
  const pod = await tars.ready(variant, ({ metadata }) => metadata.uid !== before?.metadata.uid)
  await answers(variant)
  return pod
}
let nodeImage: string

describe.each(all)('a $type service', { timeout: 900_000 }, (service) => {
  it('becomes ready as soon as it is active', () => becomesReady(service))
  it('answers', () => answers(service))
})

it.each(all)('$server calls the others through the registry and their names', async (service) => {
  for (const other of all.filter((one) => one !== service)) {
    expect(await tars.ask(service, 'relay', objectOf(other), '"you"')).toMatchObject({ return: 0, greeting: { server: `Demo.${other.server}` } })
  }
})

// Takes minutes of waiting, because native clients ask for endpoints each minute; what comes between is done meanwhile.
describe('a new release under calls', { timeout: 900_000 }, () => {
  const callers: Caller[] = []
  /** When each release began and ended to be rolled out. */
  const rollouts: string[] = []
  let rolling: Promise<void>
  afterAll(async () => {
    for (const caller of callers) await caller.stop()
  })

  /** Resolves when both pods run this release, and no other does. */
  const rolledTo = (id: string, reference: string): Promise<unknown> =>
    tars.control.machine.until(`release ${id} is rolled out`, async () => {
      const pods = await tars.pods(native)
      return pods.length === 2 && pods.every((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined && imageOf(pod) === reference && pod.metadata.labels?.['tars.io/ServerID'] === id)
    }, 500_000)
  const rollTo = async (id: string, reference: string): Promise<void> => {
    const began = new Date().toISOString()
    await tars.change(native, { release: { id, image: reference } })
    await rolledTo(id, reference)
    rollouts.push(`${id} from ${began} to ${new Date().toISOString()}`)
  }
  const tallies = (): Promise<Readonly<Record<string, Awaited<ReturnType<Caller['tally']>>>>> =>
    Promise.all(callers.map(async (caller) => [caller.name, await caller.tally()] as const)).then(Object.fromEntries)
  /** Resolves when each caller has called again often enough to have met each pod. */
  const calledOn = async (): Promise<void> => {
    const before = await tallies()
    await tars.control.machine.until('all callers go on', async () => Object.entries(await tallies()).every(([name, { calls }]) => calls > (before[name]?.calls ?? 0) + 100))
  }

  it('begins to be rolled out while services of @tars/rpc and TarsJava and a caller by hand call it', async () => {
    const [first, second] = [imageOf(await tars.pod(native)) ?? '', await tars.bake(native, 'v2')]
    await tars.change(native, { k8s: { replicas: 2 } })
    await rolledTo('v1', first)
    callers.push(await rawCaller(tars, imageOf(await tars.pod(hello)) ?? '', objectOf(native)))
    for (const by of [hello, java]) callers.push(await relaying(tars, by, objectOf(native)))
    await calledOn()
    rolling = (async () => {
      await rollTo('v2', second)
      await calledOn()
      await rollTo('v1', first)
      await calledOn()
    })()
    rolling.catch(() => {})
  })

  describe.each([...beating, war])('meanwhile, a $type service', { timeout: 900_000 }, (service) => {
    it('becomes ready as soon as it is active', () => becomesReady(service))
  })

  it('meanwhile, a war answers, and calls a service in another language', async () => {
    await answers(war)
    expect(await tars.ask(war, 'relay', objectOf(hello), '"you"')).toMatchObject({ return: 0, greeting: { server: 'Demo.HelloServer' } })
  })

  describe('meanwhile, tarsnode reaches a pod and runs its service in each way there is', () => {
    it('baked, and restarted', async () => {
      await becomesReady(variant)
      await answers(variant)
      await restarts(await tars.ready(variant))
    })

    it('copied by an init container, which wins over the baked one', async () => {
      const destination = parseLocation(`${tars.images.address}/tars.tarsnode:1`, tars.scratch)
      nodeImage = (await writeNodeImage(destination, { cacheDir: imageCache, access: { trust: () => ({ plainHttp: true }) } })).image
      const baked = (await tars.pod(variant))?.status?.containerStatuses?.[0]?.imageID
      const pod = await becomes({ release: { nodeImage } })
      expect(pod.status?.initContainerStatuses).toMatchObject([{ name: 'tarsnode', ready: true, state: { terminated: { exitCode: 0 } } }])
      expect(pod.status?.containerStatuses?.map(({ imageID }) => imageID)).toEqual([baked])
      expect((await processes(pod)).get(1)?.commandLine).toMatch(/^\/usr\/local\/app\/tars\/tarsnode\//)
      await restarts(pod)
    })

    it('copied, with the service in the foreground as PID 1', async () => {
      const pod = await becomes({ k8s: { launcherType: 'foreground' } })
      const all = await processes(pod)
      expect(all.get(1)).toSatisfy((one: Inside) => !isSupervisor(one))
      expect([...all.values()].some(isSupervisor)).toBe(true)
      // Its end is that of its container, and the pod stays.
      await restarts(pod)
      expect((await tars.pod(variant))?.status?.containerStatuses).toMatchObject([{ restartCount: 1 }])
    })
  })

  it('is rolled out, and back, and no call fails', async () => {
    await rolling
    const all = Object.entries(await tallies())
    const story = `rolled out: ${rollouts.join(', ')}; failures: ${all.map(([name, { failures }]) => `${failures.length} of ${name}`).join(', ')}`
    for (const [name, { calls, failures }] of all) expect({ name, calls: calls > 500, failures: shortly(failures) }, story).toEqual({ name, calls: true, failures: [] })
    const byHand = await callers[0]?.tally() as Tally | undefined
    // Two pods of the first release, two of the second, and of the first again the one that was there a minute before the other.
    expect(Object.keys(byHand?.peers ?? {}).length).toBeGreaterThanOrEqual(5)
  })
})

it('tarsnode comes as a volume of its image, with no copy', async () => {
  const { client, namespace } = tars.cluster
  // The setting is that of a framework, and would replace the pods of all.
  for (const { server } of [...all, ...beating, war]) await client.delete(resources.tservers as never, { namespace, name: `demo-${server.toLowerCase()}` })
  await tars.change(variant, { k8s: { launcherType: 'background' }, release: { nodeImage: null, nodeSecret: null } })
  await client.patch(resources.tframeworkconfigs as never, { namespace, name: 'tars-framework' }, { nodeImage: { image: nodeImage, injection: 'imageVolume' } })
  const pod = await tars.ready(variant, ({ spec }) => spec.volumes?.some(({ image }) => image !== undefined) === true)
  expect(pod.spec.initContainers).toBeUndefined()
  const { pid, commandLine } = (await processes(pod)).get(1) ?? expect.fail('no PID 1')
  expect(commandLine).toMatch(/^\/tarsnode\//)
  expect(await tars.control.machine.run('cat', [`/proc/${pid}/mountinfo`])).toMatch(/^\d+ \d+ \S+ \S+ \/tarsnode ro\b/m)
  await answers(variant)
  await restarts(pod)
})
