import { isAbsolute, resolve } from 'node:path'
import { paths } from '#api/names.ts'
import { readEnv } from '#base/env.ts'
import { Failure } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'

export interface AgentEnv {
  readonly nodeName: string
  /** TARSAGENT_LISTEN and TAF_AGENT_PORT: where the endpoint listens. With the node's network, that is a port of the node. */
  readonly address: string
  readonly port: number
  /** TLVInHost: folder of local volumes, at the same path on the node and here. */
  readonly base: string
  /** TARSAGENT_LOGS: folder of all logs. */
  readonly logs: string
  /** TARSAGENT_RULES: folder with crontab.config and cleaning.yaml. */
  readonly rulesFolder: string
  /** TARSAGENT_UNUSED_HOURS: how long a local volume waits for a claim. */
  readonly unusedMs: number
  /** TARSAGENT_CRI: socket of the container runtime; without it no image is pulled before a pod asks for it. */
  readonly cri: string | undefined
  /** TARSAGENT_PULL_SECRET: the file .dockerconfigjson of a mounted pull secret. */
  readonly loginFile: string
  /** TARSAGENT_PREPULL_HOURS: how old a release may be to be pulled. */
  readonly prepullMs: number
}

const hourMs = 3600_000

/** @throws Failure ENV_INVALID */
export function agentEnv(env: Environment): AgentEnv {
  const read = readEnv(env)
  const folder = (name: string, fallback: string): string => {
    const path = read.optional(name, fallback)
    if (!isAbsolute(path) || resolve(path) === '/') throw new Failure('ENV_INVALID', `environment variable ${name} must be the absolute path of a folder other than /, not "${path}"`, { remedy: `set ${name}` })
    return resolve(path)
  }
  return Object.freeze({
    nodeName: read.required('NodeName'),
    address: read.optional('TARSAGENT_LISTEN', '0.0.0.0'),
    port: read.integer('TAF_AGENT_PORT', 8000, { min: 0, max: 65_535 }),
    base: folder('TLVInHost', '/usr/local/app/tars/host-mount'),
    logs: folder('TARSAGENT_LOGS', paths.appLog),
    rulesFolder: folder('TARSAGENT_RULES', '/etc/tarsagent'),
    unusedMs: read.integer('TARSAGENT_UNUSED_HOURS', 24, { min: 1, max: 24 * 365 }) * hourMs,
    cri: read.optional('TARSAGENT_CRI')?.replace(/^unix:\/\//, ''),
    loginFile: read.optional('TARSAGENT_PULL_SECRET', '/etc/tarsagent-pull/.dockerconfigjson'),
    prepullMs: read.integer('TARSAGENT_PREPULL_HOURS', 24, { min: 1, max: 24 * 365 }) * hourMs,
  })
}
