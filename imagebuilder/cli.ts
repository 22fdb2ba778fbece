import { describe, Failure } from '#base/errors.ts'
import { build, buildUsage } from './command/build.ts'
import type { CommandIo } from '#base/command-io.ts'

const usage = `usage: tarsk8s image build <package> --app APP --server SERVER --type TYPE --base IMAGE --to IMAGE [options]
       tarsk8s image build --help
`

/**
 * The body of `tarsk8s image …`.
 * @param args what follows `image`
 * @returns 0 done, 1 failed, 2 wrong usage
 */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const [verb = '', ...rest] = args
  if (['--help', '-h', 'help'].includes(verb)) {
    io.out.write(usage)
    return 0
  }
  try {
    if (verb !== 'build') throw new Failure('USAGE', verb === '' ? 'say what to do with images' : `there is no "image ${verb}"`)
    return await build(rest, io)
  } catch (error) {
    io.err.write(`tarsk8s image: ${describe(error)}\n`)
    if (!isUsage(error)) return 1
    io.err.write(verb === 'build' ? buildUsage : usage)
    return 2
  }
}

function isUsage(error: unknown): boolean {
  return error instanceof Failure && error.code === 'USAGE'
}
