// The yardstick of tarslog: a process that has the lines already and appends them to a file of its own.
import { openSync, writeSync } from 'node:fs'
import { answerEach } from './answering.ts'

/** `lines`: one at a time through a buffer, as every logger does; `block`: the bytes of all of them, put together beforehand. */
export type Manner = 'lines' | 'block'
export type AppendQuestion = { readonly file: string; readonly lines: readonly string[] } | { readonly manner: Manner; readonly ms: number }

/** What stdio, bufio and their like hold at most before they write. */
const bufferBytes = 64 * 1024

let [file, lines, block] = [-1, [] as readonly string[], Buffer.alloc(0)]
const buffer = Buffer.allocUnsafeSlow(bufferBytes)

const ways: Readonly<Record<Manner, () => void>> = {
  lines() {
    let used = 0
    for (const line of lines) {
      // A character may take three bytes.
      if (used + line.length * 3 > bufferBytes) used = flush(used)
      used += buffer.write(line, used)
    }
    flush(used)
  },
  block: () => void writeSync(file, block),
}

function flush(used: number): number {
  writeSync(file, buffer, 0, used)
  return 0
}

/** How often all lines were appended in the time, and the CPU of this process, microseconds. */
answerEach<AppendQuestion>((question) => {
  if ('file' in question) {
    file = openSync(question.file, 'a')
    lines = question.lines
    block = Buffer.from(lines.join(''))
    return true
  }
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  let times = 0
  for (; performance.now() - began < question.ms; times++) ways[question.manner]()
  const used = process.cpuUsage(cpu)
  return { times, seconds: (performance.now() - began) / 1000, cpu: used.user + used.system }
})
