import { parseConstant, parseType, type DraftConstant, type DraftType } from './parse-types.ts'
import type { Token } from './lexer.ts'
import type { TokenStream } from './tokens.ts'

export interface DraftField {
  readonly tag: number
  readonly name: Token
  readonly required: boolean
  readonly type: DraftType
  readonly default: DraftConstant | undefined
}

export interface DraftParam {
  readonly name: Token
  readonly out: boolean
  readonly routeKey: boolean
  readonly type: DraftType
}

export interface DraftFunction {
  readonly name: Token
  readonly params: readonly DraftParam[]
  readonly result: DraftType | null
  readonly doc: string | undefined
}

type Body =
  | { readonly kind: 'struct'; readonly fields: readonly DraftField[] }
  | { readonly kind: 'enum'; readonly members: readonly { readonly name: Token; readonly value: DraftConstant | undefined }[] }
  | { readonly kind: 'const'; readonly type: DraftType; readonly value: DraftConstant }
  | { readonly kind: 'interface'; readonly functions: readonly DraftFunction[] }

/** A definition whose type names are not looked up yet. */
export type DraftDefinition = Body & {
  readonly file: string
  readonly module: string
  readonly name: Token
  readonly doc: string | undefined
}

export interface DraftKey {
  readonly file: string
  readonly module: string
  readonly struct: Token
  readonly name: string
  readonly fields: readonly Token[]
}

/** All files so far. */
export interface Draft {
  readonly definitions: Map<string, DraftDefinition>
  readonly keys: DraftKey[]
  /** Values of the enums that were asked for already. */
  readonly enums: Map<DraftDefinition, Record<string, number>>
}

/** Reads the modules of one file into the draft. */
export function parseDefinitions(tokens: TokenStream, draft: Draft): void {
  while (tokens.peek().kind !== 'end') {
    if (tokens.accept(';')) continue
    tokens.expect('module', 'at the top of a file')
    const module = tokens.name('a module name').text
    tokens.expect('{', 'after the module name')
    while (!tokens.accept('}')) parseDefinition(tokens, module, draft)
  }
}

const bodies: Readonly<Record<string, (tokens: TokenStream) => { name: Token; body: Body }>> = {
  struct: parseStruct,
  enum: parseEnum,
  const: parseConst,
  interface: parseInterface,
}

function parseDefinition(tokens: TokenStream, module: string, draft: Draft): void {
  if (tokens.accept(';')) return
  const first = tokens.take()
  if (first.text === 'key' && first.kind === 'name') return parseKey(tokens, module, draft)
  const parse = first.kind === 'name' && Object.hasOwn(bodies, first.text) ? bodies[first.text] : undefined
  if (parse === undefined) throw tokens.unexpected(first, 'struct, enum, const, interface, key or `}`')
  const { name, body } = parse(tokens)
  const fullName = `${module}::${name.text}`
  const before = draft.definitions.get(fullName)
  if (before !== undefined) throw tokens.failure(name, `${fullName} is defined twice, first at ${before.file}:${before.name.line}`)
  draft.definitions.set(fullName, { ...body, file: tokens.file, module, name, doc: first.doc })
  endDefinition(tokens, first.text)
}

function endDefinition(tokens: TokenStream, what: string): void {
  if (tokens.peek().text !== '}') tokens.expect(';', `after this ${what}`)
}

function parseStruct(tokens: TokenStream): { name: Token; body: Body } {
  const name = tokens.name('a struct name')
  tokens.expect('{', 'after the struct name')
  const fields: DraftField[] = []
  while (!tokens.accept('}')) {
    const at = tokens.peek()
    const field = parseField(tokens)
    const clash = fields.find((other) => other.tag === field.tag || other.name.text === field.name.text)
    if (clash !== undefined) throw tokens.failure(at, `${name.text} has the ${clash.tag === field.tag ? `tag ${field.tag}` : `field ${field.name.text}`} twice`)
    fields.push(field)
  }
  if (fields.length === 0) throw tokens.failure(name, `the struct ${name.text} has no fields`)
  return { name, body: { kind: 'struct', fields } }
}

function parseField(tokens: TokenStream): DraftField {
  const at = tokens.peek()
  const tag = tokens.integer('a field: tag, require or optional, type, name')
  if (tag < 0 || tag > 255) throw tokens.failure(at, `the tag ${tag} is not one of 0…255`)
  const required = tokens.accept('require')
  if (!required) tokens.expect('optional', 'or `require` after the tag')
  const { type, name } = parseTyped(tokens, 'a field name')
  const value = tokens.accept('=') ? parseConstant(tokens) : undefined
  tokens.expect(';', 'after the field')
  return { tag, name: { ...name, doc: at.doc }, required, type, default: value }
}

// `type name`, `type name[4]`, `type *name`, `type name:4`
function parseTyped(tokens: TokenStream, what: string): { type: DraftType; name: Token } {
  const at = tokens.peek()
  const type = parseType(tokens)
  const pointer = tokens.accept('*')
  const name = tokens.name(what)
  if (pointer) return { type: { kind: 'vector', of: type, at }, name }
  if (tokens.accept(':')) {
    tokens.integer('a size')
    return { type, name }
  }
  if (!tokens.accept('[')) return { type, name }
  const limit = tokens.integer('the size of the array')
  if (limit <= 0) throw tokens.failure(name, `the array ${name.text} has the size ${limit}`)
  tokens.expect(']', 'after the size of the array')
  return { type: { kind: 'vector', of: type, limit, at }, name }
}

function parseEnum(tokens: TokenStream): { name: Token; body: Body } {
  const name = tokens.name('an enum name')
  tokens.expect('{', 'after the enum name')
  const members: { name: Token; value: DraftConstant | undefined }[] = []
  while (!tokens.accept('}')) {
    const member = tokens.name('an enumerator')
    members.push({ name: member, value: tokens.accept('=') ? parseConstant(tokens) : undefined })
    if (!tokens.accept(',') && tokens.peek().text !== '}') throw tokens.unexpected(tokens.peek(), '`,` or `}` after the enumerator')
  }
  if (members.length === 0) throw tokens.failure(name, `the enum ${name.text} has no members`)
  return { name, body: { kind: 'enum', members } }
}

function parseConst(tokens: TokenStream): { name: Token; body: Body } {
  const { type, name } = parseTyped(tokens, 'a constant name')
  tokens.expect('=', 'after the constant name')
  return { name, body: { kind: 'const', type, value: parseConstant(tokens) } }
}

function parseInterface(tokens: TokenStream): { name: Token; body: Body } {
  const name = tokens.name('an interface name')
  tokens.expect('{', 'after the interface name')
  const functions: DraftFunction[] = []
  while (!tokens.accept('}')) {
    const parsed = parseFunction(tokens)
    if (functions.some((other) => other.name.text === parsed.name.text)) throw tokens.failure(parsed.name, `${name.text} has the function ${parsed.name.text} twice`)
    functions.push(parsed)
  }
  return { name, body: { kind: 'interface', functions } }
}

function parseFunction(tokens: TokenStream): DraftFunction {
  const { doc } = tokens.peek()
  const result = tokens.accept('void') ? null : parseType(tokens)
  const name = tokens.functionName()
  tokens.expect('(', 'after the function name')
  const params: DraftParam[] = []
  while (!tokens.accept(')')) {
    if (params.length > 0) tokens.expect(',', 'or `)` after the parameter')
    const param = parseParam(tokens)
    if (params.some((other) => other.name.text === param.name.text)) throw tokens.failure(param.name, `${name.text} has the parameter ${param.name.text} twice`)
    params.push(param)
  }
  tokens.expect(';', 'after the function')
  return { name, params, result, doc }
}

function parseParam(tokens: TokenStream): DraftParam {
  const out = tokens.accept('out')
  const routeKey = !out && tokens.accept('routekey')
  return { ...parseTyped(tokens, 'a parameter name'), out, routeKey }
}

function parseKey(tokens: TokenStream, module: string, draft: Draft): void {
  tokens.expect('[', 'after key')
  const struct = tokens.peek()
  const type = parseType(tokens)
  const fields: Token[] = []
  while (tokens.accept(',')) fields.push(tokens.name('a field name'))
  tokens.expect(']', 'after the field names')
  if (type.kind !== 'named' || fields.length === 0) throw tokens.failure(struct, 'key needs a struct and field names: key[Struct, field, …]')
  draft.keys.push({ file: tokens.file, module, struct, name: type.name, fields })
  endDefinition(tokens, 'key')
}
