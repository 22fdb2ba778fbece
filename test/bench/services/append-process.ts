// The yardstick of tarslog: appends the same bytes to a file through a write stream, as fast as it takes them.
import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { answerEach } from './answering.ts'

export type AppendQuestion = { readonly file: string; readonly bytes: Buffer } | { readonly ms: number }

let stream: WriteStream
let bytes: Buffer

/** Bytes that the kernel took in the time, and the CPU of this process, microseconds. */
answerEach<AppendQuestion>(async (question) => {
  if ('file' in question) {
    stream = createWriteStream(question.file, { flags: 'a' })
    bytes = Buffer.from(question.bytes)
    return once(stream, 'open').then(() => true)
  }
  const [began, cpu, before] = [performance.now(), process.cpuUsage(), stream.bytesWritten]
  while (performance.now() - began < question.ms) if (!stream.write(bytes)) await once(stream, 'drain')
  const used = process.cpuUsage(cpu)
  return { bytes: stream.bytesWritten - before, seconds: (performance.now() - began) / 1000, cpu: used.user + used.system }
})
