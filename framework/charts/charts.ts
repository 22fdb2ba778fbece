// What the charts hold: the files of their folders, and what is made of the declarations in the code.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { customResourceDefinitions, schemaOf } from '#api/crds.ts'
import { hubVersion } from '#api/names.ts'
import type { Access } from '#kube/access.ts'
import type { Network } from '#kube/network.ts'
import { access as admin, network as adminNetwork } from '../admin/access.ts'
import { access as adminRegistry, network as adminRegistryNetwork } from '../admin/adminreg/access.ts'
import { access as agent } from '../agent/access.ts'
import { access as config, network as configNetwork } from '../config/access.ts'
import { access as controller, network as controllerNetwork } from '../controller/access.ts'
import { access as image, network as imageNetwork } from '../../imagebuilder/access.ts'
import { access as kevent, network as keventNetwork } from '../kevent/access.ts'
import { access as log, network as logNetwork } from '../log/access.ts'
import { access as notify, network as notifyNetwork } from '../notify/access.ts'
import { access as property, network as propertyNetwork } from '../property/access.ts'
import { access as query, networkOf as queryNetwork } from '../query/access.ts'
import { access as registry, network as registryNetwork } from '../registry/access.ts'
import { access as stat, network as statNetwork } from '../stat/access.ts'
import { access as seed } from '../seed/access.ts'
import { chartNetworks } from './network.ts'
import { chartServers } from './servers.ts'

/** ServiceAccounts of each chart with what they may do: one a role. */
export const accounts: Readonly<Record<ChartName, Readonly<Record<string, Access>>>> = {
  tarscontroller: { 'tars-controller': controller, 'tars-agent': agent },
  tarsframework: {
    'tars-seed': seed,
    'tars-tarsregistry': registry,
    'tars-tarsconfig': config,
    'tars-tarsnotify': notify,
    'tars-tarsstat': stat,
    'tars-tarsproperty': property,
    'tars-tarsquerystat': query,
    'tars-tarsqueryproperty': query,
    'tars-tarskevent': kevent,
    'tars-tarslog': log,
    'tars-tarsimage': image,
    'tars-tarsadmin': admin,
    'tars-tarsadminregistry': adminRegistry,
  },
}

/**
 * What each role serves and calls. Not of the agent, which is on the network of its node, where no NetworkPolicy holds, nor of the
 * seed, which is over when the policies come.
 */
export const networks: Readonly<Record<ChartName, Readonly<Record<string, Network>>>> = {
  tarscontroller: { controller: controllerNetwork },
  tarsframework: {
    registry: registryNetwork,
    config: configNetwork,
    notify: notifyNetwork,
    stat: statNetwork,
    property: propertyNetwork,
    querystat: queryNetwork('querystat'),
    queryproperty: queryNetwork('queryproperty'),
    kevent: keventNetwork,
    log: logNetwork,
    image: imageNetwork,
    admin: adminNetwork,
    adminregistry: adminRegistryNetwork,
  },
}

export const chartNames = ['tarscontroller', 'tarsframework'] as const
export type ChartName = (typeof chartNames)[number]

export interface ChartOptions {
  /** Of the chart, and of the images that it runs. */
  readonly version: string
  /** Where those images are when the values do not say. */
  readonly registry?: string
  /** RFC 3339: when this version was released. */
  readonly time: string
}

/** What the folders of the charts say in place of the version. */
const placeholder = '0.0.0-source'

/** The files of a packed chart by their paths in it, in order. */
export async function chartFiles(name: ChartName, { version, registry = '', time }: ChartOptions): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  for (const path of await filesBelow(join(import.meta.dirname, name))) files.set(path, await readFile(join(import.meta.dirname, name, path), 'utf8'))
  for (const shared of ['_access.tpl', '_network.tpl']) files.set(`templates/${shared}`, await readFile(join(import.meta.dirname, 'shared', shared), 'utf8'))
  files.set('files/access.json', pretty(accounts[name]))
  const servers = name === 'tarsframework' ? chartServers(time) : {}
  files.set('files/network.json', pretty(chartNetworks(networks[name], servers)))
  if (name === 'tarscontroller') files.set('files/crds.json', JSON.stringify(customResourceDefinitions()))
  else {
    files.set('files/servers.json', pretty(servers))
    edit(files, 'values.schema.json', withServerFields)
  }
  edit(files, 'Chart.yaml', (text) => text.replaceAll(placeholder, version))
  // The first in the file is where the framework's own images are.
  edit(files, 'values.yaml', (text) => text.replace('registry: ""', `registry: ${JSON.stringify(registry)}`))
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** What `servers.<role>` may say is what the CRD lets spec.k8s say. */
function withServerFields(text: string): string {
  const schema = JSON.parse(text) as { definitions: Record<string, object> }
  const fields = schemaOf('TServer', hubVersion)?.properties?.['spec']?.properties?.['k8s']?.properties ?? {}
  return pretty({ ...schema, definitions: { ...schema.definitions, server: { type: 'object', additionalProperties: false, properties: fields } } })
}

const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

function edit(files: Map<string, string>, path: string, change: (text: string) => string): void {
  files.set(path, change(files.get(path) ?? ''))
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}
