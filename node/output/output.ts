import { join } from 'node:path'
import type { Libc } from '../system/libc.ts'
import { BoundedWriter } from './bounded-writer.ts'
import { capture } from './capture.ts'
import { toDescriptor, toRotatedFile, type RotationOptions } from './destinations.ts'
import { Tail } from './tail.ts'

/** Name of the file in the server's log folder (spec A.2). */
const FILE = 'stdout_stderr'

/**
 * The service's output: to the container's stdout and stderr, to a rotated file, and its end remembered.
 * Until begin() all waits, in the pipes and in memory: a launch shall not wait for it.
 */
export interface Output {
  /** For the child's stdio. */
  readonly stdout: number
  readonly stderr: number
  /** Lines for the container's stderr: the supervisor's own log. */
  log(line: string): void
  /** The last lines printed, after taking what is still in the pipes. */
  lastLines(count: number): readonly string[]
  /** From now on what comes is taken and written. */
  begin(): void
  /** A new process begins: forget what the former printed. */
  beginProcess(): void
  /** Takes and writes what there is; gives up after `timeoutMs`. */
  flush(timeoutMs: number): Promise<void>
  readonly lostLines: number
}

export function startOutput(libc: Libc, logDir: string, rotation: RotationOptions): Output {
  const [toStdout, toStderr] = [new BoundedWriter(toDescriptor(1)), new BoundedWriter(toDescriptor(2))]
  const file = new BoundedWriter(toRotatedFile(join(logDir, FILE), rotation))
  const tail = new Tail()
  const tee = (container: BoundedWriter) => (chunk: Buffer) => {
    container.write(chunk)
    file.write(chunk)
    tail.add(chunk)
  }
  const [stdout, stderr] = [capture(libc, tee(toStdout)), capture(libc, tee(toStderr))]
  for (const writer of [toStdout, toStderr, file]) writer.hold()
  let begun = false
  const begin = (): void => {
    if (begun) return
    begun = true
    for (const source of [stdout, stderr]) void source.begin()
    for (const writer of [toStdout, toStderr, file]) writer.release()
  }
  const drain = (): void => {
    stdout.drain()
    stderr.drain()
  }
  return {
    stdout: stdout.writeEnd,
    stderr: stderr.writeEnd,
    log: (line) => toStderr.write(Buffer.from(line)),
    lastLines(count) {
      drain()
      return tail.lines(count)
    },
    begin,
    beginProcess: () => tail.clear(),
    async flush(timeoutMs) {
      begin()
      drain()
      await Promise.all([toStdout, toStderr, file].map((writer) => writer.settled(timeoutMs)))
    },
    get lostLines() {
      return toStdout.lostLines + toStderr.lostLines + file.lostLines
    },
  }
}
