// Files that others insert: natively rows of a table by server, node and level, here TConfigs (framework-services 2.2, 10.1).
import { createHash, randomBytes } from 'node:crypto'
import { activeVersion, newestFirst } from '#api/config-group.ts'
import { annotations, labels } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TConfig } from '#api/types.ts'
import { fieldManager, liveServer } from './change.ts'
import { codes, done, labelValue, Refusal, type Outcome } from './outcome.ts'
import { nodeNames, ordinalOf, ownPlace } from './places.ts'
import type { World } from './world.ts'

export interface ConfigFile {
  readonly app: string
  /** Empty for a file of the application. */
  readonly server: string
  readonly file: string
  readonly podSeq: string
  /** The name of the node that it is for, where nodes have names of their own. */
  readonly node?: string
}

/** A file as native's callers name it. */
interface FileName {
  readonly fullName: string
  readonly file: string
  readonly node: string
  readonly level: number
}

/** Levels as native numbers them. */
const levels = { app: 1, server: 2, node: 3 } as const
const everyPod = 'm'

/** @throws Refusal 1007, and 1001 or 1011 for a node whose pod has no number */
export async function fileOf(world: World, { fullName, file, node, level }: FileName): Promise<ConfigFile> {
  const [app = '', server = '', ...rest] = fullName.split('.', 3)
  if (app === '' || rest.length > 0 || (level !== levels.app && server === '')) throw new Refusal(codes.parameter, `"${fullName}" names no ${level === levels.app ? 'application' : 'server'}`, 'write App.Server')
  if (level === levels.app) return { app, server: '', file, podSeq: everyPod }
  if (level === levels.server) return { app, server, file, podSeq: everyPod }
  if (level !== levels.node) throw new Refusal(codes.parameter, `there is no level ${level}`, 'use 1, 2 or 3')
  return { app, server, file, ...(await numberOf(world, { app, server, node })) }
}

/**
 * The number of a node's pod. DCache makes the files of a node before the node: it has the next number that is free, until
 * insertServerConf gives it another ({@link giveFiles}).
 */
async function numberOf(world: World, { app, server, node }: { readonly app: string; readonly server: string; readonly node: string }): Promise<Pick<ConfigFile, 'podSeq' | 'node'>> {
  const current = await liveServer(world.client, { namespace: world.namespace, app, server })
  const names = nodeNames(current)
  if (names.includes(node)) return { podSeq: String(names.indexOf(node)), node }
  if (current !== undefined && names.length === 0) {
    const number = ordinalOf(ownPlace(world.view, app, server, node))
    if (number === undefined) throw new Refusal(codes.cannot, `${node} is a pod of a DaemonSet, which has no number`, 'use level 2')
    return { podSeq: String(number) }
  }
  if (node === '') throw new Refusal(codes.parameter, 'the file is for no node', 'name the node, or use level 2')
  const waiting = (await filesOfNodes(world, app, server)).filter((config) => !names.includes(nodeOf(config) ?? ''))
  const own = waiting.find((config) => nodeOf(config) === node)
  const next = Math.max(names.length, ...waiting.map(({ podSeq }) => Number(podSeq) + 1))
  return { podSeq: own?.podSeq ?? String(next), node }
}

const nodeOf = (config: TConfig | undefined): string | undefined => config?.metadata.annotations?.[annotations.nodeName]

/** All versions of files that were made for nodes by name, the newest first. */
async function filesOfNodes({ client, namespace }: World, app: string, server: string): Promise<readonly TConfig[]> {
  const { items } = await client.list<TConfig>(resources.tconfigs, { namespace, labelSelector: `${labels.app}=${labelValue(app)},${labels.server}=${labelValue(server)},${labels.podSeq}!=${everyPod}` })
  return items.filter((config) => nodeOf(config) !== undefined).toSorted(newestFirst)
}

/** A positive number for a file, for callers who know files by number. */
export function fileNumber({ app, server, file, podSeq }: ConfigFile): number {
  return (createHash('sha256').update([app, server, file, podSeq].join('\n')).digest().readUInt32BE(0) & 0x7fffffff) || 1
}

/** The version of a file that counts. */
export async function inForce({ client, namespace }: World, { app, server, file, podSeq }: ConfigFile): Promise<TConfig | undefined> {
  const { items } = await client.list<TConfig>(resources.tconfigs, { namespace, labelSelector: `${labels.app}=${labelValue(app)},${labels.configName}=${labelValue(file)},${labels.podSeq}=${podSeq}` })
  return activeVersion(items.filter((config) => config.server === server))
}

export async function insertConfig(world: World, wanted: ConfigFile, content: string, replace: boolean): Promise<Outcome> {
  const { app, server, file, podSeq } = wanted
  const current = await inForce(world, wanted)
  if (current?.configContent === content) return done('Success: it is so already')
  if (current !== undefined && !replace) throw new Refusal(codes.parameter, `${app}${server === '' ? '' : `.${server}`} has a file ${file} already`, 'replace it')
  // A file for one pod comes after one for all, which may say nothing.
  const common = { app, server, file, podSeq: everyPod }
  if (podSeq !== everyPod && (await inForce(world, common)) === undefined) await create(world, common, '')
  await create(world, wanted, content)
  return done('Success')
}

/** Files that were made for a node before it had its number come to be under that, and those of who had the number before are not its files. */
export async function giveFiles(world: World, { app, server, node, number }: { readonly app: string; readonly server: string; readonly node: string; readonly number: number }): Promise<void> {
  const oldestFirst = (await filesOfNodes(world, app, server)).toReversed()
  const newest = (of: (config: TConfig) => boolean): Map<string, TConfig> => new Map(oldestFirst.filter(of).map((config) => [config.configName, config]))
  const [own, there] = [newest((config) => nodeOf(config) === node), newest(({ podSeq }) => podSeq === String(number))]
  for (const file of new Set([...own.keys(), ...there.keys()])) {
    if (nodeOf(there.get(file)) !== node) await insertConfig(world, { app, server, file, podSeq: String(number), node }, own.get(file)?.configContent ?? '', true)
  }
}

function create({ client, namespace }: World, { app, server, file, podSeq, node }: ConfigFile, content: string): Promise<unknown> {
  return client.create(resources.tconfigs, {
    metadata: {
      namespace, name: `${[app, server].filter((part) => part !== '').join('-').toLowerCase()}-${randomBytes(6).toString('hex')}`,
      ...(node === undefined ? {} : { annotations: { [annotations.nodeName]: node } }),
    },
    app, server, configName: file, configContent: content, podSeq, activated: true, updatePerson: fieldManager, updateReason: 'insertConfigFile',
  } as never, { fieldManager })
}
