import type { ParseResult } from '../parse.ts'
import type { Schema, Type } from '../schema.ts'
import { containerFunctions } from './fields.ts'
import { interfaceCode } from './interfaces.ts'
import { checkNames, typeName } from './names.ts'
import { schemaCode } from './schema-literal.ts'
import { constCode, enumCode, structCode } from './structs.ts'
import { containerName, containersIn, namesIn } from './types.ts'
import { shortName } from '../schema.ts'

export interface GenerateOptions {
  /** The .tars file, as the parser was given it. */
  readonly file: string
  /** Module specifier, from the generated file, of the TypeScript generated from an included .tars file. */
  readonly moduleOf: (includedFile: string) => string
  /** Name of the schema constant of a .tars file; unique among files that include each other. */
  readonly schemaNameOf: (file: string) => string
  /** Where the Tars library is. Default `#tars`. */
  readonly library?: string
}

/**
 * TypeScript for one .tars file: types, `create`, `write` and `read` functions for its structs, and for each interface
 * `Foo` the types `FooServant` and `FooProxy` and the constant `Foo`. What it includes is imported from there.
 * @throws Failure `TARS_IDL` for names that TypeScript cannot hold
 */
export function generateTypeScript(parsed: ParseResult, options: GenerateOptions): string {
  checkNames(parsed.schema)
  const own = ownSchema(parsed, options.file)
  const types = allTypes(own)
  const containers = new Map(types.flatMap(containersIn).map((type) => [containerName(type), type]))
  const schemaName = options.schemaNameOf(options.file)
  const includes = includedFiles(parsed, options.file, own)
  const body = [
    ...Object.entries(own.enums).flatMap(([name, def]) => enumCode(name, def)),
    ...Object.entries(own.constants).flatMap(([name, def]) => constCode(name, def)),
    ...Object.entries(own.structs).flatMap(([name, def]) => structCode(name, def, parsed.schema)),
    ...[...containers.values()].flatMap(containerFunctions),
    ...schemaCode(schemaName, own, includes.map(options.schemaNameOf)),
    ...Object.entries(own.interfaces).flatMap(([name, def]) => interfaceCode(name, def, schemaName)),
  ]
  const imports = [...libraryImports(body.join('\n'), options.library ?? '#tars'), ...includeImports({ parsed, options, own, code: body.join('\n') })]
  const base = options.file.split('/').at(-1)
  return [`// Generated from ${base} by the Tars IDL generator; change that file and generate again.`, ...imports, '', ...body].join('\n').trimEnd() + '\n'
}

function ownSchema(parsed: ParseResult, file: string): Schema {
  const own = <T>(table: Readonly<Record<string, T>>): Record<string, T> => Object.fromEntries(Object.entries(table).filter(([name]) => parsed.definedIn.get(name) === file))
  const { schema } = parsed
  return { structs: own(schema.structs), enums: own(schema.enums), constants: own(schema.constants), interfaces: own(schema.interfaces) }
}

function allTypes(schema: Schema): Type[] {
  const functions = Object.values(schema.interfaces).flatMap((one) => Object.values(one.functions))
  return [
    ...Object.values(schema.structs).flatMap((struct) => struct.fields.map((field) => field.type)),
    ...functions.flatMap((one) => [...one.params.map((param) => param.type), ...(one.result === null ? [] : [one.result])]),
  ]
}

function foreignNames(parsed: ParseResult, file: string, own: Schema): string[] {
  return [...new Set(allTypes(own).flatMap(namesIn))].filter((name) => parsed.definedIn.get(name) !== file)
}

function includedFiles(parsed: ParseResult, file: string, own: Schema): string[] {
  return [...new Set(foreignNames(parsed, file, own).map((name) => parsed.definedIn.get(name) ?? file))]
}

function includeImports({ parsed, options, own, code }: { parsed: ParseResult; options: GenerateOptions; own: Schema; code: string }): string[] {
  const names = foreignNames(parsed, options.file, own)
  return includedFiles(parsed, options.file, own).flatMap((file) => {
    const from = options.moduleOf(file)
    const imported = names.filter((name) => parsed.definedIn.get(name) === file).flatMap((name) => importedNames(name, parsed.schema))
    const used = imported.filter((name) => new RegExp(`\\b${name.replace('type ', '')}\\b`).test(code))
    return [`import { ${[...used, options.schemaNameOf(file)].join(', ')} } from '${from}'`, `export * from '${from}'`]
  })
}

function importedNames(name: string, schema: Schema): string[] {
  if (schema.enums[name] !== undefined) return [typeName(name)]
  const short = shortName(name)
  return [`create${short}`, `read${short}`, `write${short}`, `type ${typeName(name)}`]
}

// Import lines for what the code uses, and no more: the compiler refuses unused ones.
function libraryImports(code: string, library: string): string[] {
  const lines: readonly (readonly [file: string, names: readonly string[], types: readonly string[]])[] = [
    ['client.ts', [], ['CallOptions']],
    ['codec/reader.ts', [], ['Reader']],
    ['codec/wire.ts', ['encodeFailure'], []],
    ['codec/writer.ts', [], ['Writer']],
    ['idl/answer.ts', [], ['Answer']],
    ['idl/checks.ts', ['limited', 'listLength', 'mapSize', 'resultObject'], []],
    ['idl/interface.ts', ['defineInterface'], ['FastForms', 'Interface']],
    ['idl/schema.ts', [], ['Schema']],
    ['server.ts', [], ['Current']],
  ]
  return lines.flatMap(([file, names, types]) => {
    const values = names.filter((name) => new RegExp(`(?<![.\\w])${name}\\(`).test(code))
    const kinds = types.filter((name) => new RegExp(`(?<![.\\w'])${name}\\b`).test(code))
    if (values.length + kinds.length === 0) return []
    const list = values.length === 0 ? `type { ${kinds.join(', ')} }` : `{ ${[...values, ...kinds.map((kind) => `type ${kind}`)].join(', ')} }`
    return [`import ${list} from '${library}/${file}'`]
  })
}
