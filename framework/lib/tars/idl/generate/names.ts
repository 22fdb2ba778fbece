import { Failure } from '#base/errors.ts'
import { shortName, type Schema } from '../schema.ts'

/** Words that a TypeScript type, constant or parameter cannot be called, or that generated code uses itself. */
const taken: ReadonlySet<string> = new Set([
  'await', 'break', 'case', 'catch', 'class', 'const', 'continue', 'debugger', 'default', 'delete', 'do', 'else', 'enum', 'export', 'extends',
  'false', 'finally', 'for', 'function', 'if', 'import', 'in', 'instanceof', 'new', 'null', 'return', 'super', 'switch', 'this', 'throw', 'true',
  'try', 'typeof', 'var', 'void', 'while', 'with', 'yield', 'let', 'static', 'implements', 'interface', 'package', 'private', 'protected', 'public',
  'any', 'boolean', 'number', 'bigint', 'string', 'symbol', 'unknown', 'never', 'object', 'undefined', 'arguments', 'eval',
  'Map', 'Array', 'Buffer', 'Promise', 'Object', 'JSON', 'String', 'Partial', 'Record',
  'Reader', 'Writer', 'Current', 'CallOptions', 'Answer', 'Interface', 'Schema', 'FastForms', 'current', 'options',
])

/** The TypeScript name for an IDL name: the same, or with `_` behind where that would not do. */
export function safeName(name: string): string {
  return taken.has(name) ? `${name}_` : name
}

/** The TypeScript name of a struct, enum, constant or interface. */
export function typeName(fullName: string): string {
  return safeName(shortName(fullName))
}

/** @throws Failure `TARS_IDL` when two modules define the same name, which one TypeScript file cannot hold */
export function checkNames(schema: Schema): void {
  const seen = new Map<string, string>()
  for (const table of [schema.structs, schema.enums, schema.constants, schema.interfaces]) {
    for (const fullName of Object.keys(table)) {
      const before = seen.get(shortName(fullName))
      if (before !== undefined) throw new Failure('TARS_IDL', `${before} and ${fullName} have the same name`, { remedy: 'rename one, or keep them in files that do not include each other' })
      seen.set(shortName(fullName), fullName)
    }
  }
}

/** A doc comment of `text` with the given indent, or nothing. */
export function docComment(text: string | undefined, indent = ''): string[] {
  if (text === undefined) return []
  const lines = text.replaceAll('*/', '* /').split('\n')
  if (lines.length === 1) return [`${indent}/** ${lines[0]} */`]
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`]
}

/** A property name, quoted where it must be. */
export function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)
}
