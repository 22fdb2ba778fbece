import { Failure } from '#base/errors.ts'
import { join } from 'node:path'
import type { LaunchInput, LaunchPlan } from './plan.ts'
import { findInterpreter, onPath } from './programs.ts'

/** nodejs: node runs a node-agent, which finds the package's entry point itself. */
export function planNodejs(input: LaunchInput): LaunchPlan {
  const { agent, folder, nodes } = findAgent(input)
  return {
    file: findInterpreter('nodejs', 'node', [...nodes, ...onPath('node', input)], input),
    argv: ['node', agent, `${folder}/`, '-c', input.paths.confFile],
    cwd: input.paths.binDir,
    env: input.env,
  }
}

interface Agent {
  readonly agent: string
  /** What it is to run. */
  readonly folder: string
  /** Runtimes that come with it. */
  readonly nodes: readonly string[]
}

/** The base image's agent, else the one that packages for the native node bring, with their service in src. */
function findAgent({ paths: { binDir }, env, files }: LaunchInput): Agent {
  const agent = env['NODE_AGENT_BIN'] ?? ''
  if (agent !== '') {
    if (files.isFile(agent)) return { agent, folder: binDir, nodes: [] }
    throw new Failure('LAUNCH_NO_NODE_AGENT', `NODE_AGENT_BIN names ${agent}, which is no file`, { remedy: 'use a nodejs base image that brings the node-agent' })
  }
  const packed = join(binDir, 'tars_nodejs/node-agent/bin/node-agent')
  if (!files.isFile(packed)) {
    throw new Failure('LAUNCH_NO_NODE_AGENT', `environment variable NODE_AGENT_BIN is not set, and there is no ${packed}`, { remedy: 'use a nodejs base image, which sets it' })
  }
  const source = join(binDir, 'src')
  return { agent: packed, folder: files.isDirectory(source) ? source : binDir, nodes: [join(binDir, 'tars_nodejs/node')] }
}
