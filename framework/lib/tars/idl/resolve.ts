import { constantOf, enumMembers } from './constants.ts'
import { idlFailure, type Token } from './lexer.ts'
import type { Draft, DraftDefinition, DraftFunction } from './parse-definitions.ts'
import type { DraftType } from './parse-types.ts'
import type { ConstDef, EnumDef, FieldDef, FunctionDef, InterfaceDef, Schema, StructDef, Type } from './schema.ts'

type Of<K extends DraftDefinition['kind']> = Extract<DraftDefinition, { kind: K }>

/** Looks up every name of the draft. @throws Failure `TARS_IDL` at the first that does not exist or does not fit */
export function resolve(draft: Draft): Schema {
  const enums: Record<string, EnumDef> = {}
  const structs: Record<string, StructDef> = {}
  const constants: Record<string, ConstDef> = {}
  const interfaces: Record<string, InterfaceDef> = {}
  for (const [name, definition] of draft.definitions) {
    const doc = definition.doc === undefined ? {} : { doc: definition.doc }
    if (definition.kind === 'enum') enums[name] = { members: enumMembers(draft, definition), ...doc }
    if (definition.kind === 'struct') structs[name] = { ...resolveStruct(draft, name, definition), ...doc }
    if (definition.kind === 'const') constants[name] = { ...resolveConst(draft, definition), ...doc }
    if (definition.kind === 'interface') interfaces[name] = { functions: resolveFunctions(draft, definition), ...doc }
  }
  const schema = { structs, enums, constants, interfaces }
  checkKeys(draft)
  const finite = new Set<string>()
  for (const name of Object.keys(structs)) refuseCircle({ draft, schema, finite }, name, [])
  return schema
}

function resolveStruct(draft: Draft, name: string, definition: Of<'struct'>): StructDef {
  const fields = definition.fields.map((field): FieldDef => {
    const type = resolveType(draft, definition, field.type)
    const value = field.default === undefined ? {} : { default: constantOf(draft, definition, type, field.default) }
    const doc = field.name.doc === undefined ? {} : { doc: field.name.doc }
    return { tag: field.tag, name: field.name.text, required: field.required, type, ...value, ...doc }
  })
  const key = draft.keys.find((one) => keyStruct(draft, one) === name)
  return { fields: fields.toSorted((a, b) => a.tag - b.tag), ...(key === undefined ? {} : { key: key.fields.map((field) => field.text) }) }
}

function resolveConst(draft: Draft, definition: Of<'const'>): ConstDef {
  const type = resolveType(draft, definition, definition.type)
  return { type, value: constantOf(draft, definition, type, definition.value) }
}

function resolveFunctions(draft: Draft, definition: Of<'interface'>): Record<string, FunctionDef> {
  return Object.fromEntries(definition.functions.map((one) => [one.name.text, resolveFunction(draft, definition, one)]))
}

function resolveFunction(draft: Draft, definition: DraftDefinition, one: DraftFunction): FunctionDef {
  const params = one.params.map((param, index) => ({
    name: param.name.text,
    tag: index + 1,
    out: param.out,
    ...(param.routeKey ? { routeKey: true } : {}),
    type: resolveType(draft, definition, param.type),
  }))
  const result = one.result === null ? null : resolveType(draft, definition, one.result)
  return { params, result, ...(one.doc === undefined ? {} : { doc: one.doc }) }
}

function resolveType(draft: Draft, from: DraftDefinition, type: DraftType): Type {
  switch (type.kind) {
    case 'scalar': return type.scalar
    case 'map': return { map: [resolveType(draft, from, type.key), resolveType(draft, from, type.value)] }
    case 'named': return resolveNamed(draft, from, type)
    case 'vector': {
      const of = resolveType(draft, from, type.of)
      if (of === 'byte') return type.limit === undefined ? 'bytes' : { bytes: type.limit }
      return type.limit === undefined ? { vector: of } : { vector: of, limit: type.limit }
    }
  }
}

function resolveNamed(draft: Draft, from: DraftDefinition, type: { name: string; at: Token }): Type {
  const name = type.name.includes('::') ? type.name : `${from.module}::${type.name}`
  const found = draft.definitions.get(name)
  if (found?.kind === 'struct') return { struct: name }
  if (found?.kind === 'enum') return { enum: name }
  throw idlFailure(from.file, type.at, `the type ${type.name} is not defined`, 'define it, or #include the file that does')
}

function keyStruct(draft: Draft, key: Draft['keys'][number]): string | undefined {
  const name = key.name.includes('::') ? key.name : `${key.module}::${key.name}`
  return draft.definitions.get(name)?.kind === 'struct' ? name : undefined
}

function checkKeys(draft: Draft): void {
  for (const key of draft.keys) {
    const struct = draft.definitions.get(keyStruct(draft, key) ?? '')
    if (struct?.kind !== 'struct') throw idlFailure(key.file, key.struct, `the struct ${key.name} is not defined`)
    const unknown = key.fields.find((field) => !struct.fields.some((one) => one.name.text === field.text))
    if (unknown !== undefined) throw idlFailure(key.file, unknown, `the struct ${key.name} has no field ${unknown.text}`)
  }
}

/** Values nest at most 256 deep on the wire; definitions have no reason to come near. */
const maxNesting = 100

// A struct that holds itself (other than in a vector or map) has no finite value.
function refuseCircle(search: { draft: Draft; schema: Schema; finite: Set<string> }, name: string, path: readonly string[]): void {
  if (search.finite.has(name)) return
  const definition = search.draft.definitions.get(name) as DraftDefinition
  if (path.length > maxNesting) throw idlFailure(definition.file, definition.name, `structs hold one another deeper than ${maxNesting}`)
  if (path.includes(name)) throw idlFailure(definition.file, definition.name, `${[...path, name].join(' holds ')}, without end`, 'put it into a vector')
  for (const field of search.schema.structs[name]?.fields ?? []) {
    if (typeof field.type === 'object' && 'struct' in field.type) refuseCircle(search, field.type.struct, [...path, name])
  }
  search.finite.add(name)
}
