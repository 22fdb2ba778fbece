import { idlFailure, type Token } from './lexer.ts'
import type { Draft, DraftDefinition } from './parse-definitions.ts'
import type { DraftConstant } from './parse-types.ts'
import type { Constant, Scalar, Type } from './schema.ts'

type EnumDraft = Extract<DraftDefinition, { kind: 'enum' }>

/** Enums that take a value from the next one; real files have none. The bound keeps a hostile file from exhausting the stack. */
const maxChain = 50

/** Values of an enum: each one more than the last unless given. */
export function enumMembers(draft: Draft, definition: EnumDraft, visiting: readonly DraftDefinition[] = []): Record<string, number> {
  const known = draft.enums.get(definition)
  if (known !== undefined) return known
  const path = [...visiting, definition]
  if (path.length > maxChain) throw idlFailure(definition.file, definition.name, `more than ${maxChain} enums refer to one another`)
  const members: Record<string, number> = {}
  let next = 0
  for (const { name, value } of definition.members) {
    if (Object.hasOwn(members, name.text)) throw idlFailure(definition.file, name, `the enum ${definition.name.text} has ${name.text} twice`)
    const own = value?.kind === 'name' ? members[value.name] : undefined
    if (own !== undefined) next = own
    else if (value !== undefined) next = Number(valueOf(draft, 'int', value, path))
    members[name.text] = next++
  }
  draft.enums.set(definition, members)
  return members
}

/** The value of a default or constant, in the form of its type (long: bigint). */
export function constantOf(draft: Draft, from: DraftDefinition, type: Type, constant: DraftConstant): Constant {
  return valueOf(draft, type, constant, [from])
}

// The last of `path` is where the constant stands; the others are the enums whose members are being computed.
function valueOf(draft: Draft, type: Type, constant: DraftConstant, path: readonly DraftDefinition[]): Constant {
  const from = path.at(-1) as DraftDefinition
  const value = constant.kind === 'literal' ? constant.value : namedValue(draft, path, constant)
  const fitted = fit(type, value)
  if (fitted === undefined) throw idlFailure(from.file, constant.at, `the value ${String(value)} does not fit ${typeText(type)}`)
  return fitted
}

const integerRange: Partial<Record<Scalar, readonly [bigint, bigint]>> = {
  byte: [-0x80n, 0x7fn],
  short: [-0x8000n, 0x7fffn],
  int: [-0x80000000n, 0x7fffffffn],
  long: [-(1n << 63n), (1n << 63n) - 1n],
  ubyte: [0n, 0xffn],
  ushort: [0n, 0xffffn],
  uint: [0n, 0xffffffffn],
}

function fit(type: Type, value: Constant): Constant | undefined {
  if (typeof type === 'object') return 'enum' in type ? fit('int', value) : undefined
  if (type === 'bool' || type === 'string') return typeof value === (type === 'bool' ? 'boolean' : 'string') ? value : undefined
  return typeof value === 'number' || typeof value === 'bigint' ? fitNumber(type, value) : undefined
}

function fitNumber(type: Scalar, value: number | bigint): Constant | undefined {
  if (type === 'float' || type === 'double') return Number(value)
  const [low, high] = integerRange[type] ?? [1n, 0n]
  if (typeof value !== 'bigint' || value < low || value > high) return undefined
  return type === 'long' ? value : Number(value)
}

function namedValue(draft: Draft, path: readonly DraftDefinition[], constant: { name: string; at: Token }): Constant {
  const from = path.at(-1) as DraftDefinition
  const parts = constant.name.split('::')
  const member = parts.at(-1) ?? ''
  for (const [fullName, definition] of draft.definitions) {
    if (!inScope(fullName, parts.slice(0, -1), from.module)) continue
    const value = path.includes(definition) ? undefined : memberOf(draft, definition, member, path)
    if (value !== undefined) return value
  }
  throw idlFailure(from.file, constant.at, `the value ${constant.name} is not defined`, 'use a literal, or an enumerator that is defined')
}

function memberOf(draft: Draft, definition: DraftDefinition, name: string, path: readonly DraftDefinition[]): Constant | undefined {
  if (definition.kind === 'const' && definition.name.text === name && definition.value.kind === 'literal') return definition.value.value
  if (definition.kind !== 'enum' || !definition.members.some((member) => member.name.text === name)) return undefined
  return BigInt(enumMembers(draft, definition, path)[name] as number)
}

// `X`, `Enum::X`, `module::X` and `module::Enum::X` are all written in the wild.
function inScope(fullName: string, scope: readonly string[], module: string): boolean {
  const [ownModule, ownName] = fullName.split('::')
  if (scope.length === 0) return ownModule === module
  return scope.every((part) => part === ownModule || part === ownName)
}

/** A type as an IDL author would write it. */
export function typeText(type: Type): string {
  if (typeof type === 'string') return type.startsWith('u') ? `unsigned ${type.slice(1)}` : type === 'bytes' ? 'vector<byte>' : type
  if ('bytes' in type) return 'vector<byte>'
  if ('vector' in type) return `vector<${typeText(type.vector)}>`
  if ('map' in type) return `map<${typeText(type.map[0])}, ${typeText(type.map[1])}>`
  return 'struct' in type ? type.struct : type.enum
}
