import { Failure } from '#base/errors.ts'

/** Trims blank, CR, LF and TAB, as TC_Config does, and nothing else. */
export function trimLine(text: string): string {
  return text.replace(/^[ \r\n\t]+/, '').replace(/[ \r\n\t]+$/, '')
}

/**
 * Key and value of a line: split at the first `=` that has no `\` before it, both trimmed, then unescaped.
 * A line without one is a key with an empty value.
 */
export function splitLine(line: string): [key: string, value: string] {
  let at = line.indexOf('=')
  while (at > 0 && line[at - 1] === '\\') at = line.indexOf('=', at + 1)
  if (at < 0) return [unescapeText(trimLine(line)), '']
  return [unescapeText(trimLine(line.slice(0, at))), unescapeText(trimLine(line.slice(at + 1)))]
}

const unescapes: Readonly<Record<string, string>> = { '\\': '\\', r: '\r', n: '\n', t: '\t', '=': '=' }
const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\r': '\\r', '\n': '\\n', '\t': '\\t', '=': '\\=' }

function unescapeText(text: string): string {
  return text.replaceAll(/\\([^]?)/g, (escape, code: string) => {
    const char = Object.hasOwn(unescapes, code) ? unescapes[code] : undefined
    if (char !== undefined) return char
    throw new Failure('TARS_CONF', code === '' ? 'it ends with a single "\\"' : `"${escape}" is no escape`, { remedy: 'use \\\\ \\r \\n \\t or \\=' })
  })
}

/** The form that the text holds. @throws Failure `TARS_CONF` for `<` and `>`, which have no escape */
export function escapeText(text: string): string {
  if (/[<>]/.test(text)) throw new Failure('TARS_CONF', `"${text.slice(0, 80)}" holds "<" or ">", which configuration text cannot express`, { remedy: 'remove them from the name or value' })
  return text.replaceAll(/[\\\r\n\t=]/g, (char) => escapes[char] ?? char)
}
