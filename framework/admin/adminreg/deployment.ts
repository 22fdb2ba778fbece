// Servers that others make: DCache inserts rows a node, an adapter and a file at a time (framework-services 10, 12).
import type { Instance } from '#api/instances.ts'
import { annotations, serverObjectName } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { Servant } from '#api/types.ts'
import { retry } from '#base/retry.ts'
import { isAlreadyExists } from '#kube/errors.ts'
import { parseEndpoint } from '#tars/endpoint.ts'
import type { AdapterConf, AdminRegServant, ServerConf } from '#tars/protocol/AdminReg.ts'
import { changeServer, fieldManager, liveServer } from './change.ts'
import { fileNumber, fileOf, giveFiles, inForce, insertConfig } from './config-files.ts'
import { leave, leavingAnnotation } from './leaving.ts'
import { attempt, codes, done, Refusal, type Outcome } from './outcome.ts'
import { leavingNodes, nodeNames, place } from './places.ts'
import type { World } from './world.ts'
import { ServerState } from '#tars/protocol/NodeDescriptor.ts'

type Functions = Pick<AdminRegServant, 'hasServer' | 'insertServerConf' | 'insertAdapterConf' | 'insertConfigFile' | 'getConfigFileId' | 'insertHistoryConfigFile' | 'destroyServer' | 'uninstallServer' | 'undeploy'>

export function deploymentFunctions(world: World): Functions {
  const { client, namespace, log } = world
  /** Some functions have no text to say why: the log has it. */
  const told = async (what: string, work: () => Promise<Outcome>): Promise<number> => {
    const { return: code, result } = await attempt(work)
    if (code !== codes.success) log.error(`${what} was refused`, { code, why: result })
    return code
  }
  return {
    hasServer: async (app, server) => {
      const found = await liveServer(client, { namespace, app, server }).catch(() => null)
      return { return: found === null ? codes.unknown : codes.success, has: found !== undefined && found !== null }
    },
    insertServerConf: (conf, replace) => told('insertServerConf', () => insertServer(world, conf, replace)),
    insertAdapterConf: (app, server, node, conf, replace) => told('insertAdapterConf', () => insertServant(world, { app, server, node }, conf, replace)),
    insertConfigFile: (fullName, file, content, node, ...[level, replace]) => told('insertConfigFile', async () => insertConfig(world, await fileOf(world, { fullName, file, node, level }), content, replace)),
    async getConfigFileId(fullName, file, node, level) {
      let configFileId = 0
      const code = await told('getConfigFileId', async () => {
        const wanted = await fileOf(world, { fullName, file, node, level })
        if ((await inForce(world, wanted)) === undefined) throw new Refusal(codes.parameter, `${fullName} has no file ${file}`)
        configFileId = fileNumber(wanted)
        return done('Success')
      })
      return { return: code, configFileId }
    },
    // Every TConfig is a version already.
    insertHistoryConfigFile: () => codes.success,
    destroyServer: (app, server, node) => attempt(() => leave(world, { app, server, node })),
    uninstallServer: (app, server, node) => attempt(async () => {
      await assertStopped(world, { app, server, node })
      return leave(world, { app, server, node })
    }),
    undeploy: async (app, server, node) => {
      const { return: code, result } = await attempt(() => leave(world, { app, server, node }))
      return { return: code, log: result }
    },
  }
}

interface NodeOf {
  readonly app: string
  readonly server: string
  readonly node: string
}

/** `tars_cpp` → `tars.cpp`, as far as there is such a template. */
function templateOf({ profile, serverType }: ServerConf, world: World): string {
  if (profile !== '') return profile
  const byType = serverType.replace('_', '.')
  return world.template(byType) === undefined ? 'tars.default' : byType
}

/** One more node of a server, which is made when it is the first; of two that are the first at once, the later comes second. */
function insertServer(world: World, conf: ServerConf, replace: boolean): Promise<Outcome> {
  return retry(() => insertNode(world, conf, replace), { when: isAlreadyExists, baseMs: 20 })
}

/** The pod's number is the node's place in the order of insertion. */
async function insertNode(world: World, conf: ServerConf, replace: boolean): Promise<Outcome> {
  const { client, namespace } = world
  const { application: app, serverName: server, nodeName: node, asyncThreadNum } = conf
  if (/[,\s]/.test(node) || node === '') throw new Refusal(codes.parameter, `"${node}" is no name of a node`, 'name the machine, without blanks and commas')
  const tars = { template: templateOf(conf, world), asyncThread: asyncThreadNum }
  let number = 0
  const there = await changeServer(client, { namespace, app, server }, (current) => {
    const replicas = current.spec.k8s.replicas ?? 0
    const given = nodeNames(current)
    const names = given.length > 0 ? given : Array.from({ length: replicas }, (_, index) => `${current.metadata.name}-${index}`)
    const [known, leaving] = [names.includes(node), leavingNodes(current)]
    if (known && !replace && !leaving.includes(node)) throw new Refusal(codes.parameter, `${app}.${server} has the node ${node} already`)
    number = known ? names.indexOf(node) : names.length
    return {
      metadata: { annotations: { [annotations.nodeNames]: [...names, ...(known ? [] : [node])].join(','), ...leavingAnnotation(leaving.filter((name) => name !== node)) } },
      spec: { tars: { ...(replace ? tars : {}), instances: withGroup(current.spec.tars?.instances, number, conf) }, ...(known || replicas === 0 ? {} : { k8s: { replicas: replicas + 1 } }) },
    }
  })
  if (there) {
    await giveFiles(world, { app, server, node, number })
    return done('Success')
  }
  await client.create(resources.tservers, {
    metadata: { name: serverObjectName(app, server), namespace, annotations: { [annotations.nodeNames]: node } },
    spec: { app, server, subType: 'tars', tars: { ...tars, servants: [], instances: withGroup([], number, conf) }, k8s: {} },
  } as never, { fieldManager })
  await giveFiles(world, { app, server, node, number })
  return done('Success')
}

/** Any other, as the M of those who do not say, leaves it to the TFrameworkConfig. */
const groupWords: ReadonlyMap<string, boolean> = new Map([['Y', true], ['N', false]])

/** What native's row says of the groups of a node (1.3), as an entry for its pod in the place of what was said of that number before. */
function withGroup(instances: readonly Instance[] = [], number: number, { enableGroup, ipGroupName }: Pick<ServerConf, 'enableGroup' | 'ipGroupName'>): readonly Instance[] {
  const pods = String(number)
  const said = groupWords.get(enableGroup.toUpperCase())
  const own = { ...(said === undefined ? {} : { enableGroup: said }), ...(ipGroupName === '' ? {} : { group: ipGroupName }) }
  return [...instances.filter((one) => one.pods !== pods), ...(Object.keys(own).length === 0 ? [] : [{ pods, ...own }])]
}

/** A servant of all nodes: they share the port of the first, as each has an address of its own; callers are told it by the registry. */
async function insertServant({ client, namespace }: World, { app, server, node }: NodeOf, conf: AdapterConf, replace: boolean): Promise<Outcome> {
  const servant = servantOf(conf, `${app}.${server}.`)
  const there = await changeServer(client, { namespace, app, server }, (current) => {
    const servants = current.spec.tars?.servants ?? []
    const known = servants.find(({ name }) => name === servant.name)
    if (known !== undefined && !replace) {
      if (known.port === servant.port || nodeNames(current).indexOf(node) > 0) return undefined
      throw new Refusal(codes.parameter, `${app}.${server}.${servant.name} has port ${known.port} already`, `the nodes of a server share their ports: take ${known.port}, or replace it for all`)
    }
    return { spec: { tars: { servants: known === undefined ? [...servants, servant] : servants.map((one) => (one === known ? servant : one)) } } }
  })
  if (!there) throw new Refusal(codes.noServer, `there is no server ${app}.${server}`, 'insertServerConf makes it')
  return done('Success')
}

const most = { thread: 99, count: 3_000_000, timeout: 6_000_000 } as const
const bounded = (value: number, high: number): number => Math.min(high, Math.max(1, value))

function servantOf({ servant, endpoint, threadNum, queuecap, maxConnections, queuetimeout, protocol }: AdapterConf, prefix: string): Servant {
  if (!servant.startsWith(prefix)) throw new Refusal(codes.parameter, `${servant} is no object of ${prefix.slice(0, -1)}`)
  const { port, protocol: transport, authType, qos, weightType, weight } = parseEndpoint(endpoint)
  return {
    name: servant.slice(prefix.length), port, isTcp: transport !== 'udp', isTars: protocol === '' || protocol === 'tars',
    // What is usual is left out, as users do.
    ...(transport === 'ssl' ? { isSsl: true } : {}), ...(authType === 0 ? {} : { auth: true }), ...(qos > 0 ? { qos: Math.min(qos, 255) } : {}),
    ...(weightType === 0 ? {} : { weightType: 'static' as const, weight: Math.max(weight, 0) }),
    thread: bounded(threadNum, most.thread), capacity: bounded(queuecap, most.count), connection: bounded(maxConnections, most.count), timeout: bounded(queuetimeout, most.timeout),
  }
}

async function assertStopped({ view, nodes }: World, { app, server, node }: NodeOf): Promise<void> {
  if (!view.server(serverObjectName(app, server))?.pods.length) return
  const found = place(view, app, server, node)
  const said = await nodes.stateOf(found)
  const isStopped = said === undefined ? found.pod.presentState === 'Inactive' : said.info.serverState === ServerState.Inactive
  if (!isStopped) throw new Refusal(codes.state, `${app}.${server} runs on ${node}`, 'stop it first')
}
