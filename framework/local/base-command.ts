// `tarsk8s base <language>`: one more base image for the running local cluster.
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { describe, Failure } from '#base/errors.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { baseLanguage, baseLanguages, publishBase } from './base-image.ts'
import type { ClusterInfo } from './cluster.ts'
import type { CommandIo } from './io.ts'
import { createSteps } from './steps.ts'

const usage = `usage: tarsk8s base <${baseLanguages.join('|')}> [--data DIR]
  Builds the base image of a language from Debian packages, puts it into the registry of the running local cluster and
  records it as a TImage, so that "tarsk8s release --type …" finds it.
`

/** @returns exit code: 0 done, 1 failed, 2 usage */
export async function run(args: readonly string[], { out, err, cwd, signal }: CommandIo): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { data: { type: 'string', default: '.tarsk8s' }, help: { type: 'boolean', short: 'h', default: false } } })
    const [name, ...more] = positionals
    if (values.help || name === undefined || more.length > 0) {
      ;(values.help ? out : err).write(usage)
      return values.help ? 0 : 2
    }
    const language = baseLanguage(name)
    const info = await clusterInfo(resolve(cwd, values.data))
    const client = kubeClientFrom({ KUBECONFIG: info.kubeconfig })
    const steps = createSteps((line) => void out.write(line))
    const image = await steps.run(`base image for ${language}`, () => publishBase(client, info.namespace, language, { cacheDir: info.cacheDir, registry: info.registry, nodeBinary: process.execPath, signal }))
    out.write(`${image}\n`)
    return 0
  } catch (error) {
    err.write(`tarsk8s base: ${describe(error)}\n`)
    return 1
  }
}

async function clusterInfo(dataDir: string): Promise<ClusterInfo> {
  const file = join(dataDir, 'cluster.json')
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ClusterInfo
  } catch (error) {
    throw new Failure('LOCAL_NOT_RUNNING', `${file} cannot be read`, { cause: error, remedy: 'start the cluster with "npm start", or name its directory with --data' })
  }
}
