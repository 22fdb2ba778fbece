import type { Token } from './lexer.ts'
import type { Scalar } from './schema.ts'
import { integerValue, type TokenStream } from './tokens.ts'

/** A type whose names are not looked up yet; `at` is where it stands, for errors. */
export type DraftType =
  | { readonly kind: 'scalar'; readonly scalar: Scalar; readonly at: Token }
  | { readonly kind: 'vector'; readonly of: DraftType; readonly limit?: number; readonly at: Token }
  | { readonly kind: 'map'; readonly key: DraftType; readonly value: DraftType; readonly at: Token }
  | { readonly kind: 'named'; readonly name: string; readonly at: Token }

/** A literal, or the name of an enumerator or constant. */
export type DraftConstant = ({ readonly kind: 'literal'; readonly value: boolean | number | bigint | string } | { readonly kind: 'name'; readonly name: string }) & {
  readonly at: Token
}

const plain: Readonly<Record<string, Scalar>> = {
  bool: 'bool', byte: 'byte', short: 'short', int: 'int', long: 'long', float: 'float', double: 'double', string: 'string',
}
const unsigned: Readonly<Record<string, Scalar>> = { byte: 'ubyte', short: 'ushort', int: 'uint' }

/** Containers in containers deeper than this are refused: no interface needs them, and the parser recurses. */
const maxTypeDepth = 32

export function parseType(tokens: TokenStream, depth = 0): DraftType {
  const at = tokens.peek()
  if (depth > maxTypeDepth) throw tokens.failure(at, `this type nests deeper than ${maxTypeDepth}`)
  if (tokens.accept('vector')) {
    tokens.expect('<', 'after vector')
    const of = parseType(tokens, depth + 1)
    tokens.expect('>', 'after the element type')
    return { kind: 'vector', of, at }
  }
  if (tokens.accept('map')) return parseMap(tokens, at, depth + 1)
  const scalar = parseScalar(tokens)
  if (scalar !== undefined) return { kind: 'scalar', scalar, at }
  return { kind: 'named', name: parseScopedName(tokens, 'a type'), at }
}

function parseMap(tokens: TokenStream, at: Token, depth: number): DraftType {
  tokens.expect('<', 'after map')
  const key = parseType(tokens, depth)
  tokens.expect(',', 'after the key type')
  const value = parseType(tokens, depth)
  tokens.expect('>', 'after the value type')
  return { kind: 'map', key, value, at }
}

function parseScalar(tokens: TokenStream): Scalar | undefined {
  const table = tokens.accept('unsigned') ? unsigned : plain
  const token = tokens.peek()
  const scalar = Object.hasOwn(table, token.text) ? table[token.text] : undefined
  if (scalar !== undefined) tokens.take()
  else if (table === unsigned) throw tokens.unexpected(token, 'byte, short or int after unsigned')
  return scalar
}

function parseScopedName(tokens: TokenStream, what: string): string {
  tokens.accept('::')
  let name = tokens.name(what).text
  while (tokens.accept('::')) name += `::${tokens.name('a name').text}`
  return name
}

/** A default, enumerator or constant value. */
export function parseConstant(tokens: TokenStream): DraftConstant {
  const at = tokens.peek()
  if (at.kind === 'integer' || at.kind === 'float' || at.kind === 'string') {
    tokens.take()
    return { kind: 'literal', value: literalValue(at), at }
  }
  if (tokens.accept('true')) return { kind: 'literal', value: true, at }
  if (tokens.accept('false')) return { kind: 'literal', value: false, at }
  return { kind: 'name', name: parseScopedName(tokens, 'a value'), at }
}

function literalValue(token: Token): bigint | number | string {
  if (token.kind === 'integer') return integerValue(token.text)
  return token.kind === 'float' ? Number.parseFloat(token.text) : token.text
}
