// `tarsk8s base <language>`: one more base image for the running local cluster.
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { describe, Failure } from '#base/errors.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { baseLanguage, baseLanguages, publishBase, writeBase, type BaseLanguage } from './base-image.ts'
import type { ClusterInfo } from './cluster.ts'
import type { CommandIo } from '#base/command-io.ts'
import { createSteps } from './steps.ts'

const usage = `usage: tarsk8s base <${baseLanguages.join('|')}> [--data DIR] [--to IMAGE]
  Builds the base image of a language from Debian packages. It goes into the registry of the running local cluster and is
  recorded as a TImage there, so that "tarsk8s release --type …" finds it; or, with --to, to a registry reference, an OCI
  layout (oci:DIR) or a Docker engine (docker:NAME), for which no cluster is needed.
`

const options = { data: { type: 'string', default: '.tarsk8s' }, to: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } } as const

/** @returns exit code: 0 done, 1 failed, 2 usage */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parse(args)
  const [name, ...more] = parsed?.positionals ?? []
  if (parsed === undefined || parsed.values.help || name === undefined || more.length > 0) {
    const asked = parsed?.values.help === true
    ;(asked ? io.out : io.err).write(usage)
    return asked ? 0 : 2
  }
  try {
    const steps = createSteps((line) => void io.err.write(line))
    const language = baseLanguage(name)
    const { to, data } = parsed.values
    const image = await steps.run(`base image for ${language}`, () => (to === undefined ? intoCluster(language, resolve(io.cwd, data), io.signal) : elsewhere(language, to, io)))
    io.out.write(`${image}\n`)
    return 0
  } catch (error) {
    io.err.write(`tarsk8s base: ${describe(error)}\n`)
    return 1
  }
}

function parse(args: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>> | undefined {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch {
    return undefined
  }
}

async function intoCluster(language: BaseLanguage, dataDir: string, signal: AbortSignal): Promise<string> {
  const info = await clusterInfo(dataDir)
  return publishBase(kubeClientFrom({ KUBECONFIG: info.kubeconfig }), info.namespace, language, { cacheDir: info.cacheDir, registry: info.registry, nodeBinary: process.execPath, signal })
}

function elsewhere(language: BaseLanguage, to: string, { cwd, signal }: CommandIo): Promise<string> {
  return writeBase(language, parseLocation(to, cwd), { cacheDir: resolve(cwd, '.tarsk8s/cache'), nodeBinary: process.execPath, signal })
}

async function clusterInfo(dataDir: string): Promise<ClusterInfo> {
  const file = join(dataDir, 'cluster.json')
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ClusterInfo
  } catch (error) {
    throw new Failure('LOCAL_NOT_RUNNING', `${file} cannot be read`, { cause: error, remedy: 'start the cluster with "npm start", or name its directory with --data' })
  }
}
