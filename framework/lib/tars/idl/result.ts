import { resultObject } from './checks.ts'
import type { FunctionSource } from './interface.ts'
import type { ParamDef, Type } from './schema.ts'

/** The values that a function answers with: its return value (tag 0) and its out parameters. */
export interface ResultPart {
  /** '' for the return value. */
  readonly name: string
  readonly tag: number
  readonly type: Type
}

export interface ResultShape {
  readonly parts: readonly ResultPart[]
  /** The values of `parts`, in order, of a result in its public form. */
  split(result: unknown): unknown[]
  /** The public form again. */
  join(values: readonly unknown[]): unknown
}

export function inParams(source: FunctionSource): readonly ParamDef[] {
  return source.def.params.filter((param) => !param.out)
}

/** How the result of a function is taken apart and put together. See FunctionCodec for the public form. */
export function resultShape(source: FunctionSource): ResultShape {
  const { params, result } = source.def
  const outs = params.filter((param) => param.out)
  const returned = result === null ? [] : [{ name: '', tag: 0, type: result }]
  if (outs.length === 0) return { parts: returned, split: (value) => returned.length === 0 ? [] : [value], join: (values) => values[0] }
  const parts = [...returned, ...outs]
  const keys = parts.map((part) => part.name === '' ? 'return' : part.name)
  return {
    parts,
    split: (value) => keys.map((key) => resultObject(source.name, value)[key]),
    join: (values) => Object.fromEntries(keys.map((key, index) => [key, values[index]])),
  }
}
