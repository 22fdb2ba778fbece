import { Failure } from '#base/errors.ts'
import { findProgram, type LaunchInput, type LaunchPlan } from './plan.ts'

/** nodejs: the base image's node runs its node-agent, which finds the package's entry point itself. */
export function planNodejs(input: LaunchInput): LaunchPlan {
  const { paths, env, files } = input
  const agent = env['NODE_AGENT_BIN']
  if (agent === undefined || agent === '') {
    throw new Failure('LAUNCH_NO_NODE_AGENT', 'environment variable NODE_AGENT_BIN is not set', { remedy: 'use a nodejs base image, which sets it' })
  }
  if (!files.isFile(agent)) throw new Failure('LAUNCH_NO_NODE_AGENT', `NODE_AGENT_BIN names ${agent}, which is no file`, { remedy: 'use a nodejs base image that brings the node-agent' })
  return {
    file: findProgram('node', input),
    argv: ['node', agent, `${paths.binDir}/`, '-c', paths.confFile],
    cwd: paths.binDir,
    env,
  }
}
