// A failed supervisor takes its pod down, and one that is wedged is found out: never a pod that looks healthy without a supervisor.
import { readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { kubeClientFrom, type KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { events } from '#kube/resources.ts'
import { Communicator } from '#tars/client.ts'
import { QueryF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { podResource, type ContainerStatus, type Pod } from '../../framework/local/pods/kinds.ts'
import { layoutOf } from '../../framework/local/pods/layout.ts'
import { startTime } from '../../framework/local/pods/namespace/process.ts'
import { helloIdl } from '../../framework/local/samples/pack.ts'
import { LocalCluster, until } from '../rig/local-cluster.ts'
import { cacheDir } from '../rig/tools.ts'

const namespace = 'tars'
const name = 'demo-helloserver-0'
const object = 'Demo.HelloServer.HelloObj'

let cluster: LocalCluster
let client: KubeClient
let watched: Informer<Pod>
const communicator = new Communicator({ timeoutMs: 60_000 })
let query: QueryFProxy

beforeAll(async () => {
  cluster = await LocalCluster.start(['--samples', '--cache', join(cacheDir, 'local')])
  client = kubeClientFrom({ KUBECONFIG: join(cluster.dataDir, 'kubeconfig') })
  watched = new Informer({ client, resource: podResource, namespace, fieldSelector: `metadata.name=${name}`, log: silentLogger })
  watched.start()
  query = communicator.proxy<QueryFProxy>(QueryF, (await cluster.info())['locator'] ?? '')
})

afterAll(async () => {
  await watched?.stop()
  await communicator.close()
  client?.close()
  await cluster?.remove()
})

/** The pod as soon as it is like this. */
async function podWhen(wanted: (pod: Pod) => boolean): Promise<Pod> {
  const found = Promise.withResolvers<Pod>()
  const end = watched.onChange((type, pod) => type !== 'deleted' && wanted(pod) && found.resolve(pod))
  return found.promise.finally(end)
}

const container = (pod: Pod | undefined): ContainerStatus | undefined => pod?.status?.containerStatuses?.[0]
const restarts = (pod: Pod | undefined): number => container(pod)?.restartCount ?? 0
const isReady = (pod: Pod): boolean => pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
const activeEndpoints = async (): Promise<string[]> => (await query.findObjectById(object)).map(({ host }) => host)
const greet = () => cluster.cli('call', object, 'greet', '"you"', '--tars', helloIdl)

/** A process, and when it started: numbers are given again. */
interface Process {
  readonly pid: number
  readonly startTime: string | undefined
}

/** The pod's processes, PID 1 first, from what the pod runner notes of the container. */
async function processes(pod: Pod): Promise<readonly [supervisor: Process, ...rest: Process[]]> {
  const noted = join(layoutOf(join(cluster.dataDir, 'pods')).containerFolder(pod, container(pod)?.name ?? ''), 'processes.json')
  const [, first] = JSON.parse(await readFile(noted, 'utf8')) as Process[]
  const supervisor = first ?? expect.fail(`${noted} names no process of the container`)
  const spaceOf = (pid: number | string): Promise<string> => readlink(`/proc/${pid}/ns/pid`).catch(() => '')
  const space = await spaceOf(supervisor.pid)
  const all = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry) && Number(entry) !== supervisor.pid)
  const spaces = await Promise.all(all.map(spaceOf))
  return [supervisor, ...all.filter((_, i) => spaces[i] === space).map((pid) => ({ pid: Number(pid), startTime: startTime(Number(pid)) }))]
}

const lives = ({ pid, startTime: since }: Process): boolean => since !== undefined && startTime(pid) === since

/** A pod that is ready, called and not restarted; its supervisor is PID 1 and has a service below it. */
async function soundPod() {
  const pod = await podWhen((seen) => isReady(seen) && container(seen)?.state.running !== undefined)
  expect(pod.spec.initContainers).toBeUndefined()
  await until(async () => (await activeEndpoints()).length === 1)
  const [supervisor, ...below] = await processes(pod)
  expect(await readFile(`/proc/${supervisor.pid}/status`, 'utf8')).toMatch(/^NSpid:.*\s1$/m)
  expect(await readFile(`/proc/${supervisor.pid}/cmdline`, 'utf8')).toContain('/tarsnode/tarsnode.cjs')
  expect(below.length).toBeGreaterThan(0)
  return { pod, supervisor, below }
}

/** The same pod with another container: nothing of the last one is left, and its service is called again. */
async function expectRestarted({ pod, supervisor, below }: Awaited<ReturnType<typeof soundPod>>): Promise<void> {
  const restarted = await podWhen((seen) => restarts(seen) > restarts(pod))
  expect([supervisor, ...below].filter(lives)).toEqual([])
  expect(container(restarted)).toMatchObject({ restartCount: restarts(pod) + 1, lastState: { terminated: { exitCode: 137, signal: 9 } } })
  const sound = await soundPod()
  expect({ uid: sound.pod.metadata.uid, restarts: restarts(sound.pod) }).toEqual({ uid: pod.metadata.uid, restarts: restarts(pod) + 1 })
  const { code, out, err } = await greet()
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(JSON.parse(out)).toMatchObject({ greeting: { text: 'Hello, you!' } })
}

async function eventMessages(): Promise<string[]> {
  const { items } = await client.list(events, { namespace, fieldSelector: `involvedObject.name=${name}` })
  return items.map((event) => String(event['message']))
}

it('a supervisor that is killed takes its whole pod with it, and the container is started again', async () => {
  const sound = await soundPod()
  process.kill(sound.supervisor.pid, 'SIGKILL')
  await expectRestarted(sound)
})

it('a supervisor that is wedged gets no more calls, and then a new container', async () => {
  const sound = await soundPod()
  const before = restarts(sound.pod)
  process.kill(sound.supervisor.pid, 'SIGSTOP')
  const unready = await podWhen((seen) => !isReady(seen))
  expect(restarts(unready)).toBe(before)
  expect(sound.below.filter(lives)).toEqual(sound.below)
  await until(async () => (await activeEndpoints()).length === 0)
  const { code } = await greet()
  // A busy machine may take longer for the command than it takes until the container is another one.
  if (restarts(watched.get(namespace, name)) === before) expect(code).toBe(1)
  const shown: string[] = []
  await until(async () => {
    const hosts = await activeEndpoints()
    const isOver = restarts(watched.get(namespace, name)) > before
    if (!isOver) shown.push(...hosts)
    return isOver
  })
  expect(shown).toEqual([])
  expect(await eventMessages()).toEqual(expect.arrayContaining(['Readiness probe failed: no answer within 5000 ms', expect.stringMatching(/failed its Liveness probe, will be restarted$/)]))
  await expectRestarted(sound)
})
