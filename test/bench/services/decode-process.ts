// The yardstick of tarsstat: decodes reports and does nothing with them, as often as it can.
import { Reader } from '#tars/codec/reader.ts'
import { StatF } from '#tars/protocol/StatF.ts'
import { answerEach } from './answering.ts'

export type DecodeQuestion = { readonly bodies: readonly Buffer[] } | { readonly ms: number }

let bodies: readonly Buffer[] = []
const reader = new Reader(Buffer.alloc(0))

/** How many were decoded in the time, and the CPU of this process, microseconds. */
answerEach<DecodeQuestion>((question) => {
  if ('bodies' in question) return (bodies = question.bodies.map((one) => Buffer.from(one))).length
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  let decoded = 0
  while (performance.now() - began < question.ms) {
    for (let i = 0; i < 50; i++) StatF.functions['reportMicMsg']?.readArgs(reader.reset(bodies[decoded++ % bodies.length] as Buffer))
  }
  const used = process.cpuUsage(cpu)
  return { decoded, cpu: used.user + used.system }
})
