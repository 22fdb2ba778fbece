import type { FieldDef, FunctionDef, ParamDef, Schema, Type } from '../schema.ts'
import { literal, quoted } from './types.ts'

/**
 * The schema as a TypeScript constant, for the forms that are made at run time.
 * @param included names of the schema constants of included files, whose definitions are not repeated
 */
export function schemaCode(name: string, schema: Schema, included: readonly string[]): string[] {
  return [
    '/** What the .tars file says, as data. */',
    `export const ${name}: Schema = {`,
    ...table('structs', schema.structs, included, (def) => [
      '{ fields: [',
      ...def.fields.map((field) => `  ${fieldText(field)},`),
      `]${def.key === undefined ? '' : `, key: [${def.key.map(quoted).join(', ')}]`} }`,
    ]),
    ...table('enums', schema.enums, included, (def) => [`{ members: { ${Object.entries(def.members).map(([member, value]) => `${member}: ${value}`).join(', ')} } }`]),
    ...table('constants', schema.constants, included, (def) => [`{ type: ${typeText(def.type)}, value: ${literal(def.value)} }`]),
    ...table('interfaces', schema.interfaces, included, (def) => [
      '{ functions: {',
      ...Object.entries(def.functions).map(([fn, shape]) => `  ${fn}: ${functionText(shape)},`),
      '} }',
    ]),
    '}',
    '',
  ]
}

function table<T>(name: string, entries: Readonly<Record<string, T>>, included: readonly string[], text: (value: T) => string[]): string[] {
  const lines = Object.entries(entries).flatMap(([key, value]) => {
    const [first = '', ...rest] = text(value)
    const all = [`${quoted(key)}: ${first}`, ...rest]
    return all.map((line, index) => `    ${line}${index === all.length - 1 ? ',' : ''}`)
  })
  const spreads = included.map((one) => `    ...${one}.${name},`)
  return spreads.length + lines.length === 0 ? [`  ${name}: {},`] : [`  ${name}: {`, ...spreads, ...lines, '  },']
}

function fieldText(field: FieldDef): string {
  const value = field.default === undefined ? '' : `, default: ${literal(field.default)}`
  return `{ tag: ${field.tag}, name: ${quoted(field.name)}, required: ${field.required}, type: ${typeText(field.type)}${value} }`
}

function functionText(shape: FunctionDef): string {
  return `{ params: [${shape.params.map(paramText).join(', ')}], result: ${shape.result === null ? 'null' : typeText(shape.result)} }`
}

function paramText(param: ParamDef): string {
  return `{ name: ${quoted(param.name)}, tag: ${param.tag}, out: ${param.out}${param.routeKey === true ? ', routeKey: true' : ''}, type: ${typeText(param.type)} }`
}

function typeText(type: Type): string {
  if (typeof type === 'string') return quoted(type)
  if ('bytes' in type) return `{ bytes: ${type.bytes} }`
  if ('vector' in type) return `{ vector: ${typeText(type.vector)}${type.limit === undefined ? '' : `, limit: ${type.limit}`} }`
  if ('map' in type) return `{ map: [${type.map.map(typeText).join(', ')}] }`
  return 'struct' in type ? `{ struct: ${quoted(type.struct)} }` : `{ enum: ${quoted(type.enum)} }`
}
