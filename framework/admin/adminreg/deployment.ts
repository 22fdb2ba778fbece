// Servers that others make: DCache inserts rows a node, an adapter and a file at a time (framework-services 10, 12).
import { createHash, randomBytes } from 'node:crypto'
import { activeVersion } from '#api/config-group.ts'
import { annotations, labels, serverObjectName } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { Servant, TConfig, TServer } from '#api/types.ts'
import { parseEndpoint } from '#tars/endpoint.ts'
import type { AdapterConf, AdminRegServant, ServerConf } from '#tars/protocol/AdminReg.ts'
import { changeServer, fieldManager, liveServer } from './change.ts'
import { attempt, codes, done, labelValue, Refusal, type Outcome } from './outcome.ts'
import { nodeNames, ordinalOf, place, type Place } from './places.ts'
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
    insertAdapterConf: (app, server, _node, conf, replace) => told('insertAdapterConf', () => insertServant(world, { app, server }, conf, replace)),
    insertConfigFile: (fullName, file, content, node, ...[at, replace]) => told('insertConfigFile', () => insertConfig(world, fileOf(world, { fullName, file, node, level: at }), content, replace)),
    async getConfigFileId(fullName, file, node, level) {
      let configFileId = 0
      const code = await told('getConfigFileId', async () => {
        const wanted = fileOf(world, { fullName, file, node, level })
        if (activeVersion(await versionsOf(world, wanted)) === undefined) throw new Refusal(codes.parameter, `${fullName} has no file ${file}`)
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

/** One more node of a server, which is made when it is the first. The pod's number is the node's place in the order of insertion. */
async function insertServer(world: World, conf: ServerConf, replace: boolean): Promise<Outcome> {
  const { client, namespace } = world
  const { application: app, serverName: server, nodeName: node, asyncThreadNum } = conf
  if (/[,\s]/.test(node) || node === '') throw new Refusal(codes.parameter, `"${node}" is no name of a node`, 'name the machine, without blanks and commas')
  const tars = { template: templateOf(conf, world), asyncThread: asyncThreadNum }
  const there = await changeServer(client, { namespace, app, server }, (current) => {
    const replicas = current.spec.k8s.replicas ?? 0
    const given = nodeNames(current)
    const names = given.length > 0 ? given : Array.from({ length: replicas }, (_, index) => `${current.metadata.name}-${index}`)
    const known = names.includes(node)
    if (known && !replace) throw new Refusal(codes.parameter, `${app}.${server} has the node ${node} already`)
    return {
      metadata: { annotations: { [annotations.nodeNames]: [...names, ...(known ? [] : [node])].join(',') } },
      spec: { ...(replace ? { tars } : {}), ...(known || replicas === 0 ? {} : { k8s: { replicas: replicas + 1 } }) },
    }
  })
  if (there) return done('Success')
  await client.create(resources.tservers, {
    metadata: { name: serverObjectName(app, server), namespace, annotations: { [annotations.nodeNames]: node } },
    spec: { app, server, subType: 'tars', tars: { ...tars, servants: [] }, k8s: {} },
  } as never, { fieldManager })
  return done('Success')
}

/** A servant of all nodes: they share its port. */
async function insertServant({ client, namespace }: World, { app, server }: { readonly app: string; readonly server: string }, conf: AdapterConf, replace: boolean): Promise<Outcome> {
  const servant = servantOf(conf, `${app}.${server}.`)
  const there = await changeServer(client, { namespace, app, server }, ({ spec }) => {
    const servants = spec.tars?.servants ?? []
    const known = servants.find(({ name }) => name === servant.name)
    // The adapters of further nodes say the same.
    if (known !== undefined && !replace) {
      if (known.port === servant.port) return undefined
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
  const { port, protocol: transport } = parseEndpoint(endpoint)
  return {
    name: servant.slice(prefix.length), port, isTcp: transport !== 'udp', isTars: protocol === '' || protocol === 'tars',
    thread: bounded(threadNum, most.thread), capacity: bounded(queuecap, most.count), connection: bounded(maxConnections, most.count), timeout: bounded(queuetimeout, most.timeout),
  }
}

interface ConfigFile {
  readonly app: string
  /** Empty for a file of the application. */
  readonly server: string
  readonly file: string
  readonly podSeq: string
}

/** Levels as native numbers them. */
const level = { app: 1, server: 2, node: 3 } as const

function fileOf({ view }: World, { fullName, file, node, level: at }: { readonly fullName: string; readonly file: string; readonly node: string; readonly level: number }): ConfigFile {
  const [app = '', server = '', ...rest] = fullName.split('.', 3)
  if (app === '' || rest.length > 0 || (at !== level.app && server === '')) throw new Refusal(codes.parameter, `"${fullName}" names no ${at === level.app ? 'application' : 'server'}`, 'write App.Server')
  if (at === level.app) return { app, server: '', file, podSeq: 'm' }
  if (at === level.server) return { app, server, file, podSeq: 'm' }
  if (at !== level.node) throw new Refusal(codes.parameter, `there is no level ${at}`, 'use 1, 2 or 3')
  const known = nodeNames(view.tserver(serverObjectName(app, server))).indexOf(node)
  const number = known >= 0 ? known : ordinalOf(ownPlace(view, app, server, node))
  if (number === undefined) throw new Refusal(codes.cannot, `${node} is a pod of a DaemonSet, which has no number`, 'use level 2')
  return { app, server, file, podSeq: String(number) }
}

/** A positive number for a file, for callers who know files by number. */
function fileNumber({ app, server, file, podSeq }: ConfigFile): number {
  return (createHash('sha256').update([app, server, file, podSeq].join('\n')).digest().readUInt32BE(0) & 0x7fffffff) || 1
}

async function versionsOf({ client, namespace }: World, { app, server, file, podSeq }: ConfigFile): Promise<readonly TConfig[]> {
  const { items } = await client.list<TConfig>(resources.tconfigs, { namespace, labelSelector: `${labels.app}=${labelValue(app)},${labels.configName}=${labelValue(file)},${labels.podSeq}=${podSeq}` })
  return items.filter((config) => config.server === server)
}

async function insertConfig(world: World, wanted: ConfigFile, content: string, replace: boolean): Promise<Outcome> {
  const { client, namespace } = world
  const { app, server, file, podSeq } = wanted
  const current = activeVersion(await versionsOf(world, wanted))
  if (current?.configContent === content) return done('Success: it is so already')
  if (current !== undefined && !replace) throw new Refusal(codes.parameter, `${app}${server === '' ? '' : `.${server}`} has a file ${file} already`, 'replace it')
  await client.create(resources.tconfigs, {
    metadata: { namespace, name: `${[app, server].filter((part) => part !== '').join('-').toLowerCase()}-${randomBytes(6).toString('hex')}` },
    app, server, configName: file, configContent: content, podSeq, activated: true, updatePerson: fieldManager, updateReason: 'insertConfigFile',
  } as never, { fieldManager })
  return done('Success')
}

async function assertStopped({ view, nodes }: World, { app, server, node }: NodeOf): Promise<void> {
  if (!view.server(serverObjectName(app, server))?.pods.length) return
  const found = place(view, app, server, node)
  const { info } = await nodes.ask(found, (proxy, a, s, options) => proxy.getStateInfo(a, s, options))
  if (info.serverState !== ServerState.Inactive) throw new Refusal(codes.state, `${app}.${server} runs on ${node}`, 'stop it first')
}

/** Nodes are added and taken away where native's callers know them: in the first TServer of a server. */
function ownPlace(view: World['view'], app: string, server: string, node: string): Place {
  const found = place(view, app, server, node)
  if (found.row.variant !== undefined) throw new Refusal(codes.cannot, `${node} is of the variant ${found.row.variant} of ${app}.${server}`, `change it by "tarsk8s deploy --app ${app} --server ${server}/${found.row.variant}"`)
  return found
}

/** Takes a node away from its server: the one with the highest number, as Kubernetes does; with the last one, the server. */
export async function leave({ client, namespace, view }: World, { app, server, node }: NodeOf): Promise<Outcome> {
  const current = await liveServer(client, { namespace, app, server })
  if (current === undefined) throw new Refusal(codes.noServer, `there is no server ${app}.${server}`)
  const names = nodeNames(current)
  const nodesOf = Math.max(current.spec.k8s.replicas ?? 0, names.length)
  if (current.spec.k8s.daemonSet) throw new Refusal(codes.cannot, `${app}.${server} has a pod on every node`, 'delete the TServer, or take its label from the node')
  const index = names.includes(node) ? names.indexOf(node) : ordinalOf(ownPlace(view, app, server, node))
  if (nodesOf <= 1) {
    await client.delete(resources.tservers, { namespace, name: current.metadata.name }, { preconditions: { uid: current.metadata.uid ?? '' } })
    return done(`Success: ${app}.${server} is removed`)
  }
  if (index !== nodesOf - 1) throw new Refusal(codes.cannot, `${node} is not the last node of ${app}.${server}`, `nodes leave in reverse order: first ${names.at(-1) ?? `${current.metadata.name}-${nodesOf - 1}`}`)
  await changeServer(client, { namespace, app, server }, (now) => lessOne(now))
  return done(`Success: ${app}.${server} has left ${node}`)
}

function lessOne({ metadata, spec }: TServer): object {
  const names = (metadata.annotations?.[annotations.nodeNames] ?? '').split(',').slice(0, -1)
  return {
    ...(metadata.annotations?.[annotations.nodeNames] === undefined ? {} : { metadata: { annotations: { [annotations.nodeNames]: names.join(',') } } }),
    spec: { k8s: { replicas: Math.max(0, (spec.k8s.replicas ?? 0) - 1) } },
  }
}
