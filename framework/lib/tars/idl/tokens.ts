import type { Failure } from '#base/errors.ts'
import { idlFailure, type Token } from './lexer.ts'

const keywords: ReadonlySet<string> = new Set([
  'void', 'struct', 'bool', 'byte', 'short', 'int', 'double', 'float', 'long', 'string', 'vector', 'map', 'key', 'routekey',
  'module', 'interface', 'out', 'require', 'optional', 'false', 'true', 'enum', 'const', 'unsigned',
])

const noKeywords: ReadonlySet<string> = new Set()

/** A cursor over the tokens of one file, with the usual expectations. */
export class TokenStream {
  readonly file: string
  readonly #tokens: readonly Token[]
  #next = 0

  constructor(file: string, tokens: readonly Token[]) {
    this.file = file
    this.#tokens = tokens
  }

  peek(): Token {
    return this.#tokens[this.#next] as Token
  }

  take(): Token {
    const token = this.peek()
    if (token.kind !== 'end') this.#next++
    return token
  }

  /** Takes the next token if it is this symbol or keyword. */
  accept(text: string): boolean {
    const token = this.peek()
    const same = (token.kind === 'symbol' || token.kind === 'name') && token.text === text
    if (same) this.#next++
    return same
  }

  expect(text: string, where: string): Token {
    const token = this.peek()
    if (!this.accept(text)) throw this.unexpected(token, `\`${text}\` ${where}`)
    return token
  }

  /** An identifier that is no keyword. */
  name(what: string): Token {
    return this.#checked(what, keywords)
  }

  /** The name of a function, which may be a keyword: the parenthesis behind it tells. */
  functionName(): Token {
    return this.#checked('a function name', noKeywords)
  }

  #checked(what: string, reserved: ReadonlySet<string>): Token {
    const token = this.take()
    if (token.kind !== 'name') throw this.unexpected(token, what)
    if (reserved.has(token.text) || token.text === '__proto__') throw this.failure(token, `the reserved word \`${token.text}\` cannot be ${what}`)
    return token
  }

  integer(what: string): number {
    const token = this.take()
    if (token.kind !== 'integer') throw this.unexpected(token, what)
    return Number(integerValue(token.text))
  }

  unexpected(token: Token, expected: string): Failure {
    return this.failure(token, `expected ${expected}, found ${token.kind === 'end' ? token.text : `\`${token.text}\``}`)
  }

  failure(token: { line: number; column: number }, what: string): Failure {
    return idlFailure(this.file, token, what)
  }
}

/** The value of an integer token: decimal, 0x… or, with a leading 0, octal, as in C. */
export function integerValue(text: string): bigint {
  const negative = text.startsWith('-')
  const digits = text.replace(/^[+-]/, '')
  const octal = /^0[0-7]+$/.test(digits)
  const value = BigInt(octal ? `0o${digits.slice(1)}` : digits)
  return negative ? -value : value
}
