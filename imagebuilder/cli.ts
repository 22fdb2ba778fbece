import { describe, Failure } from '#base/errors.ts'
import { build, buildUsage } from './command/build.ts'
import type { CommandIo } from './command/io.ts'

const usage = `usage: tarsk8s image build <package> --app APP --server SERVER --type TYPE --base IMAGE --to IMAGE [options]
       tarsk8s image build --help
`

/**
 * The body of `tarsk8s image …`.
 * @param args what follows `image`
 * @returns 0 done, 1 failed, 2 wrong usage
 */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const [verb, ...rest] = args
  if (verb === undefined || verb === '--help' || verb === '-h' || verb === 'help') {
    ;(verb === undefined ? io.err : io.out).write(usage)
    return verb === undefined ? 2 : 0
  }
  try {
    if (verb !== 'build') throw new Failure('USAGE', `there is no "image ${verb}"`)
    return await build(rest, io)
  } catch (error) {
    io.err.write(`tarsk8s image ${verb}: ${describe(error)}\n`)
    if (!(error instanceof Failure) || error.code !== 'USAGE') return 1
    io.err.write(verb === 'build' ? buildUsage : usage)
    return 2
  }
}
