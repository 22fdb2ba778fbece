// `tarsk8s image …` in a checkout: the supervisor's layer, which the image builder only takes, is made here when none is given.
import { resolve } from 'node:path'
import { describe } from '#base/errors.ts'
import { run as image } from '../../imagebuilder/cli.ts'
import type { CommandIo } from '#base/command-io.ts'
import { supervisorLayer } from './supervisor-layer.ts'

/** @returns exit code: 0 done, 1 failed, 2 usage */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const given = (io.env['TARSIMAGE_SUPERVISOR'] ?? '') !== '' || args.some((word) => word === '--supervisor' || word.startsWith('--supervisor='))
  if (given || args[0] !== 'build' || args.includes('--help') || args.includes('-h') || args.length < 2) return image(args, io)
  try {
    const { file } = await supervisorLayer(resolve(io.cwd, '.tarsk8s/cache'), io.signal)
    return await image(args, { ...io, env: { ...io.env, TARSIMAGE_SUPERVISOR: file } })
  } catch (error) {
    io.err.write(`tarsk8s image: ${describe(error)}\n`)
    return 1
  }
}
