import { Failure } from '#base/errors.ts'
import type { Reader } from '../codec/reader.ts'
import type { Writer } from '../codec/writer.ts'
import { Codecs } from './codecs.ts'
import { jsonForms, type JsonForms } from './json-forms.ts'
import type { FunctionDef, ParamDef, Schema, Type } from './schema.ts'
import { tupForms, type TupForms } from './tup-forms.ts'
import { wireForms, type WireForms } from './wire-forms.ts'

export type Param = ParamDef

/**
 * One function of an interface: its shape, and its arguments and result in the three body forms of the protocol.
 *
 * `args` are the values of the in parameters, in order. A result is: without out parameters, the return value (void:
 * undefined); with out parameters, an object `{ return, <out parameter>: value, … }`, without `return` for void.
 * Writing fails with a Failure `TARS_ENCODE`, reading with `TARS_DECODE`.
 */
export interface FunctionCodec extends WireForms, TupForms, JsonForms {
  readonly name: string
  readonly params: readonly Param[]
  /** null: void. */
  readonly result: Type | null
}

export interface Interface {
  /** Without its module. */
  readonly name: string
  readonly functions: Readonly<Record<string, FunctionCodec>>
}

/** Version 1 forms that generated code brings, by function name; they take the place of the run-time ones. */
export type FastForms = Readonly<Record<string, WireForms>>

/**
 * Makes an interface callable from what its .tars file says.
 * @param name full name `module::Interface`; the short name will do when the schema has one interface of that name
 * @throws Failure `TARS_SCHEMA` when there is no such interface
 */
export function defineInterface(schema: Schema, name: string, fast: FastForms = {}): Interface {
  const fullName = Object.keys(schema.interfaces).find((one) => one === name || one.endsWith(`::${name}`))
  const definition = fullName === undefined ? undefined : schema.interfaces[fullName]
  if (fullName === undefined || definition === undefined) {
    const known = Object.keys(schema.interfaces).join(', ')
    throw new Failure('TARS_SCHEMA', `the schema has no interface ${name}`, { remedy: known === '' ? 'define one in the .tars file' : `use one of: ${known}` })
  }
  const codecs = new Codecs(schema)
  const functions = Object.entries(definition.functions).map(([functionName, def]) => {
    return [functionName, defineFunction({ name: functionName, def, schema, codecs }, fast[functionName])] as const
  })
  return { name: fullName.slice(fullName.lastIndexOf(':') + 1), functions: Object.assign(Object.create(null), Object.fromEntries(functions)) }
}

/** What the forms of a function are built from. */
export interface FunctionSource {
  readonly name: string
  readonly def: FunctionDef
  readonly schema: Schema
  readonly codecs: Codecs
}

function defineFunction(source: FunctionSource, fast: WireForms | undefined): FunctionCodec {
  const head = { name: source.name, params: source.def.params, result: source.def.result }
  // Generated code was checked when it was generated, and the forms that it does not bring are rarely called.
  if (fast !== undefined) return { ...head, ...fast, ...formsOnDemand(source) }
  return { ...head, ...wireForms(source), ...tupForms(source), ...jsonForms(source) }
}

/** TUP and JSON forms that are made at their first call, so that a process which starts often does not pay for them. */
function formsOnDemand(source: FunctionSource): TupForms & JsonForms {
  let [madeTup, madeJson]: [TupForms?, JsonForms?] = []
  const tup = (): TupForms => (madeTup ??= tupForms(source))
  const json = (): JsonForms => (madeJson ??= jsonForms(source))
  return {
    writeArgsTup: (args) => tup().writeArgsTup(args),
    readArgsTup: (map) => tup().readArgsTup(map),
    writeResultTup: (result) => tup().writeResultTup(result),
    readResultTup: (map) => tup().readResultTup(map),
    argsToJson: (args) => json().argsToJson(args),
    argsFromJson: (value) => json().argsFromJson(value),
    resultToJson: (result) => json().resultToJson(result),
    resultFromJson: (value) => json().resultFromJson(value),
  }
}

export type { Reader, Writer }
