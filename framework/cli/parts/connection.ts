import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ParseArgsOptionsConfig } from 'node:util'
import type { CommandIo } from '#base/command-io.ts'
import { Failure } from '#base/errors.ts'
import { createKubeClient, type KubeClient } from '#kube/client.ts'
import { configFromEnv, readKubeconfig } from '#kube/config.ts'
import type { Flags } from './command.ts'

export const connectionOptions = {
  data: { type: 'string' },
  kubeconfig: { type: 'string' },
  namespace: { type: 'string', short: 'n' },
  'admin-url': { type: 'string' },
  'image-url': { type: 'string' },
  locator: { type: 'string' },
  'hosts-file': { type: 'string' },
} as const satisfies ParseArgsOptionsConfig

/** `cluster.json` in the data folder: how to reach the cluster that runs from it. Paths are relative to that folder. */
export interface ClusterFile {
  readonly kubeconfig?: string
  readonly namespace?: string
  readonly adminUrl?: string
  readonly imageUrl?: string
  readonly locator?: string
  readonly hostsFile?: string
}

/** Every way into the cluster. Each is looked up when used, so that a command asks for no more than it needs. */
export interface Connection {
  readonly namespace: string
  kube(): KubeClient
  adminUrl(): string
  imageUrl(): string
  locator(): string
  hostsFile(): string | undefined
}

/** Flags first, then the data folder's cluster, then the environment. */
export function connect(flags: Flags, { env, cwd }: CommandIo): Connection {
  const data = resolve(cwd, flags.text('data') ?? '.tarsk8s')
  let known: ClusterFile | undefined
  const file = () => (known ??= readClusterFile(data, flags.text('data') !== undefined))
  const setting = (flag: string, key: keyof ClusterFile, variable: string) => flags.text(flag) ?? file()[key] ?? nonEmpty(env[variable])
  const path = (flag: string, key: 'hostsFile' | 'kubeconfig') => {
    const given = flags.text(flag)
    if (given !== undefined) return resolve(cwd, given)
    const kept = file()[key]
    return kept === undefined ? undefined : resolve(data, kept)
  }
  const required = (flag: string, key: keyof ClusterFile, variable: string, what: string): string => {
    const value = setting(flag, key, variable)
    if (value === undefined) throw new Failure('CLUSTER_UNKNOWN', `${what} is not known`, { remedy: `start a cluster with "tarsk8s up", or give --${flag} or ${variable}` })
    return value
  }
  return {
    get namespace() {
      return setting('namespace', 'namespace', 'TARSK8S_NAMESPACE') ?? 'tars'
    },
    kube() {
      const kubeconfig = path('kubeconfig', 'kubeconfig')
      return createKubeClient(kubeconfig === undefined ? configFromEnv(env) : readKubeconfig(kubeconfig))
    },
    adminUrl: () => required('admin-url', 'adminUrl', 'TARSK8S_ADMIN_URL', 'the address of tarsadmin'),
    imageUrl: () => required('image-url', 'imageUrl', 'TARSK8S_IMAGE_URL', 'the address of tarsimage'),
    locator: () => required('locator', 'locator', 'TARSK8S_LOCATOR', 'the address of tarsregistry'),
    hostsFile: () => path('hosts-file', 'hostsFile') ?? nonEmpty(env['TARSK8S_HOSTS_FILE']),
  }
}

/** @param wanted the operator named the folder: then it must hold a cluster */
function readClusterFile(folder: string, wanted: boolean): ClusterFile {
  const path = join(folder, 'cluster.json')
  if (!existsSync(path)) {
    if (wanted) throw new Failure('CLUSTER_UNKNOWN', `${path} does not exist`, { remedy: 'start a cluster there with "tarsk8s up --data DIR", or name another folder' })
    return {}
  }
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === 'string')) return value
    throw new Error('it must be an object of texts')
  } catch (cause) {
    throw new Failure('CLUSTER_UNKNOWN', `${path} cannot be read`, { cause, remedy: 'start the cluster again with "tarsk8s up", which writes it' })
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text
}
