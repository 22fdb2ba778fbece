import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { Failure } from '#base/errors.ts'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import { Codecs } from '#tars/idl/codecs.ts'
import { defineInterface, type FunctionCodec } from '#tars/idl/interface.ts'
import { decodeTup, encodeTup } from '#tars/idl/tup-forms.ts'
import { cases, schema } from './cases.ts'
import { Config, ConfigSchema, NotifyF, QueryF, Registry, sampleOf } from './fuzz-subjects.ts'
import { mutate, Random } from './random.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? 20261123)
const packets = 100_000

interface Subject {
  readonly name: string
  readonly valid: Buffer
  readonly decode: (bytes: Buffer) => unknown
}

function functionSubjects(fn: FunctionCodec): Subject[] {
  const args = fn.params.filter((param) => !param.out).map((param) => sampleOf(param.type))
  const w = new Writer()
  fn.writeArgs(w, args)
  const tup = encodeTup(fn.writeArgsTup(args))
  return [
    { name: `${fn.name} arguments`, valid: w.bytes(), decode: (bytes) => fn.readArgs(new Reader(bytes)) },
    { name: `${fn.name} result`, valid: w.bytes(), decode: (bytes) => fn.readResult(new Reader(bytes)) },
    { name: `${fn.name} TUP`, valid: tup, decode: (bytes) => fn.readArgsTup(decodeTup(bytes)) },
  ]
}

const codecs = new Codecs(schema)

const subjects: Subject[] = [
  ...[QueryF, Registry, NotifyF, Config, defineInterface(ConfigSchema, 'Config')].flatMap((one) => Object.values(one.functions).flatMap(functionSubjects)),
  ...cases.flatMap(({ type, values }) => values.map((value) => {
    const w = new Writer()
    codecs.of(type).write(w, 1, value)
    return { name: JSON.stringify(type), valid: w.bytes(), decode: (bytes: Buffer) => codecs.of(type).read(new Reader(bytes), 1) }
  })),
]

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function heapBytes(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

test(`${packets} mutated packets: a value or a Failure, and no memory kept`, () => {
  const random = new Random(seed)
  const outcome = { values: 0, failures: 0 }
  let half = 0
  for (let i = 0; i < packets; i++) {
    const subject = random.pick(subjects)
    const bytes = mutate(subject.valid, random)
    try {
      subject.decode(bytes)
      outcome.values++
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'TARS_DECODE') throw new Error(`seed ${seed}, packet ${i}, ${subject.name}: ${bytes.toString('hex')}`, { cause: error })
      outcome.failures++
    }
    if (i === packets / 2) half = heapBytes()
  }
  expect(heapBytes() - half).toBeLessThan(4 << 20)
  // Both ways must be exercised, or the fuzzing shows nothing.
  expect(outcome.values).toBeGreaterThan(packets / 20)
  expect(outcome.failures).toBeGreaterThan(packets / 20)
})

test('random bytes: a value or a Failure', () => {
  const random = new Random(seed + 1)
  for (let i = 0; i < 20_000; i++) {
    const bytes = Buffer.from(Array.from({ length: random.below(64) }, () => random.below(256)))
    const subject = random.pick(subjects)
    try {
      subject.decode(bytes)
    } catch (error) {
      if (!(error instanceof Failure)) throw new Error(`${subject.name}: ${bytes.toString('hex')}`, { cause: error })
    }
  }
})
