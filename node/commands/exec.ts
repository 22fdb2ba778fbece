import { spawn } from 'node:child_process'
import { existsSync, readlinkSync } from 'node:fs'
import { constants } from 'node:os'
import type { CommandIo } from '#base/command-io.ts'
import { describe } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'
import { silentLogger } from '#base/log.ts'
import { parseEnvironment } from '../env.ts'
import { DescriptorFile } from '../registry/descriptor-file.ts'
import { planOf } from '../service/prepare-launch.ts'
import { renderConf } from '../server-config/render.ts'
import { readText } from '../system/atomic-write.ts'
import { fetchStatus } from './status.ts'

const usage = `usage: tarsk8s node exec [--] PROGRAM [ARGUMENT …]

Runs a program as the service runs: with its environment and in its folder; those it would have when it does not run. Exits as the program does.
`

interface Place {
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

export async function run(args: readonly string[], { out, err, env }: CommandIo): Promise<number> {
  const [file, ...rest] = args[0] === '--' ? args.slice(1) : args
  if (file === undefined || (args[0] !== '--' && file.startsWith('-'))) {
    const asked = file === '--help'
    ;(asked ? out : err).write(usage)
    return asked ? 0 : 2
  }
  const place = (await runningPlace(env)) ?? plannedPlace(env)
  const child = spawn(file, rest, { ...place, stdio: 'inherit' })
  return new Promise((resolve) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      err.write(`tarsk8s node exec: ${file} cannot be started: ${describe(error)}\n`)
      resolve(error.code === 'ENOENT' ? 127 : 126)
    })
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']))
  })
}

/** Of the process of the service itself. */
async function runningPlace(env: Environment): Promise<Place | undefined> {
  const { pid } = await fetchStatus(env).catch(() => ({ pid: 0 }))
  const variables = pid === 0 ? undefined : readText(`/proc/${pid}/environ`)
  if (variables === undefined || variables === '') return undefined
  const pairs = variables.split('\0').filter((pair) => pair.includes('=')).map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const)
  return { env: Object.fromEntries(pairs), cwd: readlinkSync(`/proc/${pid}/cwd`) }
}

/** Of the next launch, as far as it can be planned: a container is kept for inspection just when it can not. */
function plannedPlace(env: Environment): Place {
  const settings = parseEnvironment(env)
  const descriptor = new DescriptorFile(settings.paths.descriptorFile, silentLogger).read()
  const conf = descriptor === undefined || settings.registry === undefined ? undefined : renderConf({ ...settings, registry: settings.registry }, descriptor)
  const { plan, env: variables } = planOf({ settings, timezone: undefined }, (key) => conf?.setting(key))
  const { binDir } = settings.paths
  return { env: plan?.env ?? variables, cwd: existsSync(binDir) ? binDir : '/' }
}
