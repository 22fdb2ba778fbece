// Log files as TarsWeb asks for them, by getLogFileList and getLogData of tarsnode and AdminRegObj.
import { closeSync, openSync, readdirSync, readSync, realpathSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Failure } from './errors.ts'

/** Most of a file that is read for one answer, bytes: what is read counts against the memory of the pod. */
export const WINDOW = 4 << 20
/** Longest question, characters: what takes it apart takes the square of its time for some. */
const LONGEST = 4096
/** Most lines that can be asked for; what TarsWeb allows. */
const MAX_LINES = 50_000

/** The log files of a server's folder, newest first: names that hold `.log`, as the native node lists them. One that goes meanwhile, as old ones do, is left out. */
export function listLogFiles(folder: string): string[] {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.includes('.log') && entry.name.length > 4)
  const dated = files.flatMap(({ name }) => {
    const found = statSync(join(folder, name), { throwIfNoEntry: false })
    return found === undefined ? [] : [{ name, time: found.mtimeMs }]
  })
  return dated.sort((a, b) => b.time - a.time).map(({ name }) => name)
}

/** Which end of a file. */
export type End = 'head' | 'tail'

interface Cut {
  readonly end: End
  readonly lines: number
}

/** What TarsWeb asks for; natively it is a shell's pipeline, which nobody here runs. */
export interface LogQuery {
  readonly take: Cut
  readonly keyword: string | undefined
  readonly ignoreCase: boolean
  readonly then: Cut | undefined
}

/**
 * Reads `tail|head -N FILE [| grep -a [-i] KEYWORD] [| tail|head -M] [| cat -v]`. The keyword is taken as it is, so the
 * ends of the text are read first.
 * @throws Failure LOG_QUERY for anything else
 */
export function parseLogQuery(text: string): LogQuery {
  const refuse = (): never => {
    throw new Failure('LOG_QUERY', `"${text.slice(0, 200)}" is not answered`, { remedy: `ask for "tail|head -N FILE [| grep -a [-i] KEYWORD] [| tail|head -M] [| cat -v]", with at most ${MAX_LINES} lines` })
  }
  if (text.length > LONGEST) return refuse()
  const cut = (match: RegExpExecArray | null): Cut | undefined => {
    if (match === null) return undefined
    const lines = Number(match[2])
    return lines >= 1 && lines <= MAX_LINES ? { end: match[1] === 'head' ? 'head' : 'tail', lines } : refuse()
  }
  const first = /^\s*(tail|head)\s+-(\d+)\s+\S+/.exec(text)
  const take = cut(first) ?? refuse()
  let rest = text.slice(first?.[0].length).replace(/\s*\|\s*cat\s+-v\s*$/, '')
  const last = /\s*\|\s*(tail|head)\s+-(\d+)\s*$/.exec(rest)
  rest = last === null ? rest : rest.slice(0, last.index)
  const search = /^\s*\|\s*grep\s+-a\s+(-i\s+)?([^]+)$/.exec(rest)
  if (search === null && rest.trim() !== '') refuse()
  return { take, keyword: search?.[2]?.trim().replace(/^(["'])([^]*)\1$/, '$2'), ignoreCase: search?.[1] !== undefined, then: cut(last) }
}

/**
 * Lines of one log file of the folder.
 * @throws Failure LOG_QUERY, or LOG_FILE when the folder has no such file
 */
export function readLog(folder: string, name: string, query: string): string {
  const asked = parseLogQuery(query)
  return answerQuery(asked, readWindow(fileIn(folder, name), asked.take.end))
}

/** What was read of a file, without the end of its last line, and whether that is all of it. */
export interface LogText {
  readonly text: string
  readonly whole: boolean
}

/** The lines that are asked for. */
export function answerQuery({ take, keyword, ignoreCase, then }: LogQuery, { text, whole }: LogText): string {
  const lines = lineCut(text.split('\n'), take)
  const wanted = ignoreCase ? keyword?.toLowerCase() : keyword
  const found = wanted === undefined ? lines : lines.filter((line) => (ignoreCase ? line.toLowerCase() : line).includes(wanted))
  const shown = then === undefined ? found : lineCut(found, then)
  const note = whole || lines.length === take.lines ? '' : `[only the ${take.end === 'tail' ? 'last' : 'first'} ${WINDOW >> 20} MiB of the file were read]\n`
  return note + shown.map((line) => `${visible(line)}\n`).join('')
}

const lineCut = (lines: readonly string[], { end, lines: count }: Cut): readonly string[] => (end === 'head' ? lines.slice(0, count) : lines.slice(-count))

/** Control characters as `cat -v` shows them. */
const visible = (line: string): string => line.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, (character) => (character === '\x7f' ? '^?' : `^${String.fromCharCode(character.charCodeAt(0) + 64)}`))

/** A regular file that lies in the folder itself, also when its name is a link's. */
export function fileIn(folder: string, name: string): string {
  const missing = (cause?: unknown): never => {
    throw new Failure('LOG_FILE', `there is no log file "${name}"`, { cause, remedy: 'take a name of getLogFileList' })
  }
  if (name !== basename(name) || name === '' || name === '.' || name === '..') return missing()
  try {
    const path = realpathSync(join(folder, name))
    return path === join(realpathSync(folder), basename(path)) && statSync(path).isFile() ? path : missing()
  } catch (error) {
    return error instanceof Failure ? missing() : missing(error)
  }
}

function readWindow(path: string, end: End): LogText {
  const fd = openSync(path, 'r')
  try {
    const { size } = statSync(path)
    const start = end === 'tail' ? Math.max(0, size - WINDOW) : 0
    const buffer = Buffer.alloc(Math.min(size, WINDOW))
    return logText(buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, start)), { cut: start > 0, whole: size <= WINDOW })
  } finally {
    closeSync(fd)
  }
}

/** @param cut something is missing before these bytes */
export function logText(bytes: Buffer, { cut, whole }: { readonly cut: boolean; readonly whole: boolean }): LogText {
  const text = bytes.toString('utf8')
  // The line that the window cuts is none, nor is what follows the last line's end.
  const lines = cut ? text.slice(text.indexOf('\n') + 1) : text
  return { text: lines.endsWith('\n') ? lines.slice(0, -1) : lines, whole }
}
