import { shortName, type ConstDef, type EnumDef, type FieldDef, type Schema, type StructDef } from '../schema.ts'
import { readExpression, writeStatement } from './fields.ts'
import { docComment, typeName } from './names.ts'
import { initialOf, literal, quoted, tsType } from './types.ts'

export function enumCode(fullName: string, def: EnumDef): string[] {
  const name = typeName(fullName)
  return [
    ...docComment(def.doc),
    `export const ${name} = { ${Object.entries(def.members).map(([member, value]) => `${member}: ${value}`).join(', ')} } as const`,
    `export type ${name} = (typeof ${name})[keyof typeof ${name}]`,
    '',
  ]
}

export function constCode(fullName: string, def: ConstDef): string[] {
  return [...docComment(def.doc), `export const ${typeName(fullName)} = ${literal(def.value)}`, '']
}

/** A struct's type, `create`, `keyOf` (when it has a key), `write` and `read`. */
export function structCode(fullName: string, def: StructDef, schema: Schema): string[] {
  return [...interfaceCode(fullName, def), ...createCode(fullName, def, schema), ...keyCode(fullName, def), ...writeCode(fullName, def), ...readCode(fullName, def, schema)]
}

function interfaceCode(fullName: string, def: StructDef): string[] {
  const fields = def.fields.flatMap((field) => [...docComment(field.doc, '  '), `  ${field.name}: ${tsType(field.type)}`])
  return [...docComment(def.doc), `export interface ${typeName(fullName)} {`, ...fields, '}', '']
}

function createCode(fullName: string, def: StructDef, schema: Schema): string[] {
  const name = typeName(fullName)
  return [
    `export function create${shortName(fullName)}(given: Partial<${name}> = {}): ${name} {`,
    '  return {',
    ...def.fields.map((field) => `    ${field.name}: given.${field.name} ?? ${initialOf(field, schema)},`),
    '  }',
    '}',
    '',
  ]
}

function keyCode(fullName: string, def: StructDef): string[] {
  if (def.key === undefined) return []
  const parts = def.key.map((name) => (def.fields.find((field) => field.name === name)?.type === 'long' ? `String(value.${name})` : `value.${name}`))
  return [
    '/** Equal for two values that are the same map key: those with the same key fields. */',
    `export function keyOf${shortName(fullName)}(value: ${typeName(fullName)}): string {`,
    `  return JSON.stringify([${parts.join(', ')}])`,
    '}',
    '',
  ]
}

function writeCode(fullName: string, def: StructDef): string[] {
  return [
    `export function write${shortName(fullName)}(w: Writer, tag: number, value: ${typeName(fullName)}): void {`,
    `  if (typeof value !== 'object' || value === null) throw encodeFailure(${quoted(`struct ${fullName}`)}, tag, value)`,
    '  w.beginStruct(tag)',
    ...def.fields.map((field) => `  ${writeStatement(field.type, field.tag, `value.${field.name}`)}`),
    '  w.endStruct()',
    '}',
    '',
  ]
}

function readCode(fullName: string, def: StructDef, schema: Schema): string[] {
  const short = shortName(fullName)
  const fields = def.fields.map((field) => `    ${field.name}: ${readExpression(field.type, field.tag, fallbackOf(field, schema))},`)
  return [
    `export function read${short}(r: Reader, tag: number, optional = false): ${typeName(fullName)} {`,
    `  if (!r.beginStruct(tag)) return optional ? create${short}() : r.missing(tag)`,
    '  const value = {',
    ...fields,
    '  }',
    '  r.endStruct()',
    '  return value',
    '}',
    '',
  ]
}

function fallbackOf(field: FieldDef, schema: Schema): string | undefined {
  return field.required && field.default === undefined ? undefined : initialOf(field, schema)
}
