import { Failure } from './errors.ts'
import type { Environment } from './lifecycle.ts'

/** Reads typed values from an environment; every refusal names the variable, the rule and the remedy. */
export interface EnvReader {
  /** A variable that must be there and not empty. */
  required(name: string): string
  /** The value, or `fallback` when unset or empty. */
  optional(name: string, fallback: string): string
  optional(name: string): string | undefined
  /** A whole number in [min, max]. */
  integer(name: string, fallback: number, range?: { readonly min?: number; readonly max?: number }): number
  /** true/1/yes/on or false/0/no/off. */
  boolean(name: string, fallback: boolean): boolean
  /** One of `choices`. */
  choice<const T extends string>(name: string, choices: readonly T[], fallback: T): T
}

const truths: Readonly<Record<string, boolean>> = { true: true, 1: true, yes: true, on: true, false: false, 0: false, no: false, off: false }

export function readEnv(env: Environment): EnvReader {
  const get = (name: string): string | undefined => (env[name] === undefined || env[name] === '' ? undefined : env[name])
  const refuse = (name: string, rule: string): never => {
    throw new Failure('ENV_INVALID', `environment variable ${name} ${rule}${get(name) === undefined ? '' : `, not "${get(name)}"`}`, { remedy: `set ${name}` })
  }
  const optional = ((name: string, fallback?: string) => get(name) ?? fallback) as EnvReader['optional']
  return {
    required: (name) => get(name) ?? refuse(name, 'is required and is not set'),
    optional,
    integer(name, fallback, { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = {}) {
      const text = get(name)
      if (text === undefined) return fallback
      const value = Number(text)
      return Number.isInteger(value) && value >= min && value <= max ? value : refuse(name, `must be a whole number from ${min} to ${max}`)
    },
    boolean(name, fallback) {
      const text = get(name)
      return text === undefined ? fallback : (truths[text.toLowerCase()] ?? refuse(name, 'must be true or false'))
    },
    choice(name, choices, fallback) {
      const text = get(name)
      return text === undefined ? fallback : (choices.find((choice) => choice === text) ?? refuse(name, `must be one of ${choices.join(', ')}`))
    },
  }
}
