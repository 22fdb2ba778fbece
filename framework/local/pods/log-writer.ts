import { EventEmitter } from 'node:events'
import { appendFileSync, existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

export interface LogLimits {
  /** Bytes after which a file is put aside. Default 10 MiB. */
  readonly maxBytes?: number
  /** Files kept in all. Default 5. */
  readonly maxFiles?: number
}

/** A line longer than this is written in parts, marked `P` until the last. */
const maxLine = 16 * 1024

/**
 * Writes a container's output as the container runtime interface has it: `<RFC 3339 time> <stream> <F|P> <text>`
 * (kubernetes.io, "CRI Container Log Format"). A full disk costs lines, never the container.
 */
export class LogWriter extends EventEmitter<{ written: []; ended: [] }> {
  readonly file: string
  readonly #limits: Required<LogLimits>
  #bytes: number
  #ended = false
  #open = 0
  /** Lines that could not be written. */
  lost = 0

  constructor(file: string, limits: LogLimits = {}) {
    super()
    this.setMaxListeners(0)
    this.file = file
    this.#limits = { maxBytes: limits.maxBytes ?? 10 * 2 ** 20, maxFiles: limits.maxFiles ?? 5 }
    mkdirSync(dirname(file), { recursive: true })
    appendFileSync(file, '')
    this.#bytes = statSync(file).size
  }

  /** True when nothing will be added. */
  get ended(): boolean {
    return this.#ended
  }

  /** Takes all of `input` as the stream `name`; the log ends with its last input. */
  take(name: 'stdout' | 'stderr', input: Readable): void {
    const decoder = new StringDecoder('utf8')
    let rest = ''
    this.#open++
    input.on('data', (chunk: Buffer) => {
      const parts = (rest + decoder.write(chunk)).split('\n')
      rest = parts.pop() ?? ''
      const lines = parts.flatMap((text) => records(name, text))
      for (; rest.length > maxLine; rest = rest.slice(maxLine)) lines.push(record(name, 'P', rest.slice(0, maxLine)))
      this.#append(lines.join(''))
    })
    input.once('close', () => {
      rest += decoder.end()
      if (rest !== '') this.#append(records(name, rest).join(''))
      if (--this.#open === 0) this.end()
    })
  }

  /** One line of the runner's or a role's own. */
  line(name: 'stdout' | 'stderr', text: string): void {
    this.#append(records(name, text).join(''))
  }

  end(): void {
    this.#ended = true
    this.emit('ended')
  }

  #append(text: string): void {
    if (text === '') return
    try {
      if (this.#bytes > 0 && this.#bytes + text.length > this.#limits.maxBytes) this.#rotate()
      appendFileSync(this.file, text)
      this.#bytes += Buffer.byteLength(text)
      this.emit('written')
    } catch {
      this.lost++
    }
  }

  #rotate(): void {
    rmSync(`${this.file}.${this.#limits.maxFiles - 1}`, { force: true })
    for (let index = this.#limits.maxFiles - 2; index >= 1; index--) if (existsSync(`${this.file}.${index}`)) renameSync(`${this.file}.${index}`, `${this.file}.${index + 1}`)
    renameSync(this.file, `${this.file}.1`)
    this.#bytes = 0
  }
}

/** A line, in parts when it is long. */
function records(stream: string, text: string): string[] {
  const parts: string[] = []
  for (let at = 0; text.length - at > maxLine; at += maxLine) parts.push(record(stream, 'P', text.slice(at, at + maxLine)))
  return [...parts, record(stream, 'F', text.slice(parts.length * maxLine))]
}

function record(stream: string, tag: 'F' | 'P', text: string): string {
  return `${new Date().toISOString()} ${stream} ${tag} ${text}\n`
}
