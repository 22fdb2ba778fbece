import { describe, Failure } from '#base/errors.ts'
import { build, buildUsage } from './command/build.ts'
import { inspect, inspectUsage, validate, validateUsage } from './command/look.ts'
import { push, pushUsage } from './command/push.ts'
import { rebase, rebaseUsage } from './command/rebase.ts'
import type { CommandIo } from '#base/command-io.ts'

interface Verb {
  readonly run: (args: readonly string[], io: CommandIo) => Promise<number>
  readonly usage: string
}

const verbs = new Map<string, Verb>([
  ['build', { run: build, usage: buildUsage }],
  ['inspect', { run: inspect, usage: inspectUsage }],
  ['push', { run: push, usage: pushUsage }],
  ['rebase', { run: rebase, usage: rebaseUsage }],
  ['validate', { run: validate, usage: validateUsage }],
])

const usage = `usage: tarsk8s image build <package> --app APP --server SERVER --type TYPE --base IMAGE --to IMAGE [options]
       tarsk8s image push <source> <destination> [options]   copies an image as it is
       tarsk8s image rebase <image…> [options]      a new base or supervisor under images, at their registry
       tarsk8s image inspect <image> [options]      what an image is made of
       tarsk8s image validate <image> [options]     whether an image is whole
       tarsk8s image <verb> --help
`

/**
 * The body of `tarsk8s image …`.
 * @param args what follows `image`
 * @returns 0 done, 1 failed, 2 wrong usage
 */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const [name = '', ...rest] = args
  if (['--help', '-h', 'help'].includes(name)) {
    io.out.write(usage)
    return 0
  }
  const verb = verbs.get(name)
  try {
    if (verb === undefined) throw new Failure('USAGE', name === '' ? 'say what to do with images' : `there is no "image ${name}"`)
    return await verb.run(rest, io)
  } catch (error) {
    io.err.write(`tarsk8s image: ${describe(error)}\n`)
    if (!isUsage(error)) return 1
    io.err.write(verb?.usage ?? usage)
    return 2
  }
}

function isUsage(error: unknown): boolean {
  return error instanceof Failure && error.code === 'USAGE'
}
