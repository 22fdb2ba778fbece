import { Failure } from '#base/errors.ts'

/**
 * Splits a command line into words as a POSIX shell quotes them: blanks separate, '…' is literal, "…" keeps blanks
 * and knows \" and \\, a backslash outside quotes takes the next character as it is. Nothing is expanded.
 * @param where names the source in the error, e.g. `environment variable ServerLauncherArgv`
 * @throws Failure LAUNCH_ARGV_QUOTING
 */
export function splitArgv(text: string, where: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let rest = text
  while (rest !== '') {
    const [piece, value] = nextPiece(rest, where, text)
    if (value === undefined) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + value
    rest = rest.slice(piece.length)
  }
  return word === undefined ? words : [...words, word]
}

const blanks = /^[ \t\r\n]+/
const plain = /^[^ \t\r\n'"\\]+/
const single = /^'([^']*)'/
const double = /^"((?:[^"\\]|\\[^])*)"/
const escaped = /^\\([^])/

/** @returns the text consumed and what it contributes to the word; undefined for a separator */
function nextPiece(rest: string, where: string, whole: string): readonly [string, string | undefined] {
  const blank = blanks.exec(rest)
  if (blank !== null) return [blank[0], undefined]
  const match = plain.exec(rest) ?? single.exec(rest) ?? double.exec(rest) ?? escaped.exec(rest)
  if (match === null) {
    throw new Failure('LAUNCH_ARGV_QUOTING', `${where} has a quote or backslash at position ${whole.length - rest.length + 1} that nothing closes: ${whole}`, { remedy: 'close the quote' })
  }
  const inner = match[1] ?? match[0]
  return [match[0], rest.startsWith('"') ? inner.replace(/\\(["\\$`])/g, '$1') : inner]
}
