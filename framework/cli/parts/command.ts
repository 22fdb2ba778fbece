import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import type { CommandIo } from '#base/command-io.ts'
import { describe, Failure } from '#base/errors.ts'
import { KubeError } from '#kube/errors.ts'
import { connect, connectionOptions, type Connection } from './connection.ts'
import { exit, type Run } from './io.ts'

export type Values = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>

export interface Input {
  /** Names given without a flag, in order. */
  readonly names: readonly string[]
  readonly flags: Flags
  readonly io: CommandIo
  /** Where the cluster is; looked up when first used. */
  readonly cluster: Connection
}

export interface CommandSpec {
  readonly name: string
  /** Arguments on the usage line, after the command's name. */
  readonly synopsis: string
  /** What it does, options and examples; shown by --help. */
  readonly help: string
  readonly options?: ParseArgsOptionsConfig
  /** Least and most number of names. */
  readonly names: readonly [number, number]
}

/**
 * Makes a command of its body: reads the arguments, prints help, and turns what is thrown into an exit code and a
 * message that says what to do.
 */
export function defineCommand(spec: CommandSpec, body: (input: Input) => Promise<number | void>): Run {
  return async (args, io) => {
    try {
      const { values, positionals } = parse(spec, args)
      if (values['help'] === true) {
        io.out.write(helpText(spec))
        return exit.ok
      }
      checkNames(spec, positionals)
      const flags = new Flags(values)
      return (await body({ names: positionals, flags, io, cluster: connect(flags, io) })) ?? exit.ok
    } catch (error) {
      io.err.write(`tarsk8s ${spec.name}: ${describe(explained(error))}\n`)
      if (!isUsage(error)) return exit.failed
      io.err.write(`usage: tarsk8s ${spec.name} ${spec.synopsis}\n`)
      return exit.usage
    }
  }
}

/** No answer of the API server says nothing of what to do. */
function explained(error: unknown): unknown {
  if (!(error instanceof KubeError) || error.status !== 0) return error
  return new Failure('CLUSTER_UNREACHABLE', 'the API server of the cluster does not answer', { cause: error, remedy: 'see whether the cluster runs: "tarsk8s up" starts one' })
}

function parse(spec: CommandSpec, args: readonly string[]): { values: Values; positionals: string[] } {
  const options = { ...connectionOptions, ...spec.options, help: { type: 'boolean', short: 'h' } } satisfies ParseArgsOptionsConfig
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true, allowNegative: false }) as { values: Values; positionals: string[] }
  } catch (error) {
    throw usageError((error as Error).message.split('. To specify')[0] ?? '')
  }
}

function checkNames({ names: [least, most], synopsis }: CommandSpec, given: readonly string[]): void {
  if (given.length < least) throw usageError(`an argument is missing: ${synopsis}`)
  if (given.length > most) throw usageError(`"${given[most]}" is one argument too many`)
}

function helpText({ name, synopsis, help }: CommandSpec): string {
  return `usage: tarsk8s ${name} ${synopsis}\n\n${help.trim()}\n\n${connectionHelp}`
}

const connectionHelp = `The cluster (the one that "tarsk8s up" left in the data folder, unless said otherwise):
  --data DIR            data folder, default .tarsk8s
  --kubeconfig FILE     Kubernetes API            (or KUBECONFIG)
  --namespace NS        namespace                 (or TARSK8S_NAMESPACE)
  --admin-url URL       tarsadmin                 (or TARSK8S_ADMIN_URL)
  --image-url URL       tarsimage                 (or TARSK8S_IMAGE_URL)
  --locator OBJ@EP      tarsregistry              (or TARSK8S_LOCATOR)
  --hosts-file FILE     names of pods, as in /etc/hosts (or TARSK8S_HOSTS_FILE)

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

export function usageError(message: string, remedy?: string): Failure {
  return new Failure('USAGE', message, remedy === undefined ? {} : { remedy })
}

function isUsage(error: unknown): boolean {
  return error instanceof Failure && error.code === 'USAGE'
}

/** Typed access to parsed flags; refusals name the flag, the rule and what was given. */
export class Flags {
  readonly #values: Values

  constructor(values: Values) {
    this.#values = values
  }

  text(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }

  required(name: string, example: string): string {
    const value = this.text(name)
    if (value === undefined || value === '') throw usageError(`--${name} is missing`, `add e.g. --${name} ${example}`)
    return value
  }

  on(name: string): boolean {
    return this.#values[name] === true
  }

  list(name: string): readonly string[] {
    const value = this.#values[name]
    return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
  }

  whole(name: string, [least, most]: readonly [number, number]): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most) throw usageError(`--${name} must be a whole number from ${least} to ${most}, not "${text}"`)
    return value
  }
}
