import { Failure } from '#base/errors.ts'

export interface Token {
  readonly kind: 'name' | 'integer' | 'float' | 'string' | 'symbol' | 'include' | 'end'
  /** Text as written; of a string or include the content, escapes resolved. */
  readonly text: string
  readonly line: number
  readonly column: number
  /** The comment just before, without its marks. */
  readonly doc: string | undefined
}

/** An error in a .tars file: `file:line:column: what`. */
export function idlFailure(file: string, at: { line: number; column: number }, what: string, remedy?: string): Failure {
  return new Failure('TARS_IDL', `${file}:${at.line}:${at.column}: ${what}`, {
    context: { file, line: at.line, column: at.column },
    ...(remedy === undefined ? {} : { remedy }),
  })
}

const rules: Readonly<Record<Exclude<Token['kind'], 'end'> | 'space' | 'comment', RegExp>> = {
  space: /[ \t\r\n\v\f\ufeff]+/,
  comment: /\/\/[^\n]*|\/\*[^]*?\*\//,
  include: /#include[ \t]*"[^"\n]*"/,
  name: /[A-Za-z_][A-Za-z0-9_]*/,
  float: /[+-]?(?:(?:\d*\.\d+|\d+\.)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)[fF]?/,
  integer: /[+-]?(?:0[xX][0-9a-fA-F]+|\d+)/,
  string: /"(?:[^"\\\n]|\\[^\n])*"/,
  symbol: /::|[{}()[\]<>,;=:*]/,
}

type Kind = keyof typeof rules

/** One pattern with a named group a rule; the first that matches counts. */
const pattern = Object.entries(rules).map(([kind, rule]) => `(?<${kind}>${rule.source})`).join('|')

/** Splits the text of a .tars file into tokens, the last of kind `end`. */
export function tokenize(file: string, text: string): Token[] {
  const tokens: Token[] = []
  const next = new RegExp(pattern, 'y')
  let pos = 0
  let line = 1
  let column = 1
  let doc: string | undefined
  while (pos < text.length) {
    next.lastIndex = pos
    const [kind, source] = Object.entries(next.exec(text)?.groups ?? {}).find(([, found]) => found !== undefined) as [Kind, string] | undefined ?? []
    if (kind === undefined || source === undefined) throw idlFailure(file, { line, column }, problemAt(text, pos))
    if (kind === 'comment') doc = commentText(source)
    else if (kind !== 'space') {
      tokens.push({ kind, text: content(kind, source), line, column, doc })
      doc = undefined
    }
    const lines = source.split('\n')
    line += lines.length - 1
    column = lines.length > 1 ? (lines.at(-1) ?? '').length + 1 : column + source.length
    pos += source.length
  }
  tokens.push({ kind: 'end', text: 'the end of the file', line, column, doc })
  return tokens
}

function problemAt(text: string, pos: number): string {
  if (text.startsWith('/*', pos)) return 'this comment is never closed'
  if (text[pos] === '"') return 'this string is not closed on its line'
  if (text[pos] === '#') return '#include needs a file name in double quotes'
  return `unexpected character ${JSON.stringify(text[pos])}`
}

function content(kind: Token['kind'], source: string): string {
  if (kind === 'include') return source.slice(source.indexOf('"') + 1, -1)
  return kind === 'string' ? unescape(source.slice(1, -1)) : source
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', v: '\v', f: '\f', a: '\x07', b: '\b' }

function unescape(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-fA-F]+)|([0-7]{1,3})|(.))/g, (_, hex?: string, octal?: string, one?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
    return escapes[one ?? ''] ?? one ?? ''
  })
}

function commentText(source: string): string | undefined {
  const inner = source.startsWith('//') ? source.slice(2) : source.slice(2, -2)
  const lines = inner.split('\n').map((line) => line.replace(/^[ \t]*[*/<!]*[ \t]?/, '').trimEnd())
  const text = lines.join('\n').trim()
  return text === '' ? undefined : text
}
