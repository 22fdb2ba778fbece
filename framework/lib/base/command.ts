// What commands share: how words are read, and how what went wrong becomes an exit code.
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import type { CommandIo } from './command-io.ts'
import { describe, Failure } from './errors.ts'

/** A command beside its work. */
export interface Frame<O extends ParseArgsOptionsConfig> {
  /** As in `tarsk8s <name>`. */
  readonly name: string
  /** Shown by --help, and after a wrong call. */
  readonly usage: string
  /** Flags; `help` is added. */
  readonly options: O
}

const help = { help: { type: 'boolean', short: 'h', default: false } } as const

/** Flags and words as they were given. */
export type Parsed<O extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: O & typeof help; allowPositionals: true }>>

/** A command that is called wrongly. */
export const misuse = (message: string): Failure => new Failure('USAGE', message)

/** Runs a command. @returns exit code: 0 done, 1 failed, 2 usage */
export async function runCommand<const O extends ParseArgsOptionsConfig>(frame: Frame<O>, args: readonly string[], io: CommandIo, work: (parsed: Parsed<O>) => Promise<void>): Promise<number> {
  try {
    const parsed = parse(frame, args)
    if ((parsed.values as { readonly help?: boolean }).help === true) io.out.write(frame.usage)
    else await work(parsed)
    return 0
  } catch (error) {
    io.err.write(`tarsk8s ${frame.name}: ${describe(error)}\n`)
    if (!(error instanceof Failure) || error.code !== 'USAGE') return 1
    io.err.write(frame.usage)
    return 2
  }
}

function parse<O extends ParseArgsOptionsConfig>({ options }: Frame<O>, args: readonly string[]): Parsed<O> {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options: { ...options, ...help } }) as Parsed<O>
  } catch (error) {
    throw misuse((error as Error).message.split('. To specify')[0] ?? '')
  }
}
