import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readLog } from '../../../framework/local/pods/log-reader.ts'
import type { LogReadOptions } from '../../../framework/local/pods/log-reader.ts'
import { LogWriter } from '../../../framework/local/pods/log-writer.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tarsk8s-log-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function text(file: string, writer?: LogWriter, options?: LogReadOptions): Promise<string> {
  let all = ''
  for await (const chunk of readLog(file, writer, options)) all += String(chunk)
  return all
}

test('lines, long lines and characters cut in two come out as they went in', async () => {
  const file = join(dir, '0.log')
  const writer = new LogWriter(file)
  const input = new PassThrough()
  writer.take('stdout', input)
  const long = '漢'.repeat(40_000)
  const bytes = Buffer.from(`one\n${long}\n\nlast without end`)
  for (let at = 0; at < bytes.length; at += 1001) input.write(bytes.subarray(at, at + 1001))
  const ended = once(writer, 'ended')
  input.end()
  await ended
  expect(await text(file)).toBe(`${bytes.toString()}\n`)
})

test('a follower sees every line once, over rotation, until the end; a reader sees what is kept', async () => {
  const file = join(dir, '0.log')
  const writer = new LogWriter(file, { maxBytes: 4000, maxFiles: 1000 })
  const followed = text(file, writer, { follow: true })
  const expected: string[] = []
  for (let index = 0; index < 2000; index++) {
    writer.line('stdout', `line ${index}`)
    expected.push(`line ${index}`)
    if (index % 50 === 0) await new Promise(setImmediate)
  }
  writer.end()
  expect((await text(file)).trimEnd().split('\n')).toEqual(expected)
  expect((await followed).trimEnd().split('\n')).toEqual(expected)
})

test('only a newline ends a line, also in files that are put aside', async () => {
  const file = join(dir, '0.log')
  const writer = new LogWriter(file, { maxBytes: 500 })
  const written = Array.from({ length: 20 }, (_, index) => `\r${index} %\r${index + 1} %\u2028done`)
  for (const line of written) writer.line('stdout', line)
  expect(readdirSync(dir).length).toBeGreaterThan(1)
  expect(await text(file)).toBe(written.map((line) => `${line}\n`).join(''))
})

test('old files go', () => {
  const writer = new LogWriter(join(dir, '0.log'), { maxBytes: 500, maxFiles: 3 })
  for (let index = 0; index < 200; index++) writer.line('stdout', `line ${index}`)
  expect(readdirSync(dir).toSorted()).toEqual(['0.log', '0.log.1', '0.log.2'])
})

test('tail, since, timestamps and a limit of bytes', async () => {
  const file = join(dir, '0.log')
  const writer = new LogWriter(file)
  for (const line of ['a', 'b', 'c']) writer.line('stdout', line)
  expect(await text(file, undefined, { tailLines: 2 })).toBe('b\nc\n')
  expect(await text(file, undefined, { tailLines: 0 })).toBe('')
  expect(await text(file, undefined, { sinceMs: Date.now() + 60_000 })).toBe('')
  expect(await text(file, undefined, { timestamps: true, tailLines: 1 })).toMatch(/^\d{4}-.*Z c\n$/)
  expect(await text(file, undefined, { limitBytes: 3 })).toBe('a\nb')
})
