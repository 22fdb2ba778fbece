import { closeSync, readdirSync, readFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { BoundedWriter } from '../../node/output/bounded-writer.ts'
import { toDescriptor, toRotatedFile } from '../../node/output/destinations.ts'
import { Tail } from '../../node/output/tail.ts'
import { decodeStatus } from '../../node/system/exit-status.ts'
import { bindLibc } from '../../node/system/libc.ts'
import { exitCode } from '../rig/pidns.ts'
import { command, pod, removeScratch, scratch, supervise } from './rig.ts'

afterAll(removeScratch)

const lines = (from: number, count: number): Buffer => Buffer.from(Array.from({ length: count }, (_, i) => `line ${from + i}\n`).join(''))

describe('a destination that does not keep up', () => {
  it('never blocks the writer; what is dropped is counted and confessed', async () => {
    const { read, write } = bindLibc().pipe()
    const writer = new BoundedWriter(toDescriptor(write), 200_000)
    for (let i = 0; i < 100; i++) writer.write(lines(i * 1000, 1000))
    expect(writer.lostLines).toBeGreaterThan(50_000)
    const reader = new Socket({ fd: read, readable: true, writable: false })
    let text = ''
    for await (const chunk of reader) {
      text += String(chunk)
      if (/lines of output were lost/.test(text)) break
      writer.write(Buffer.from('after\n'))
    }
    const lost = Number(/(\d+) lines of output were lost/.exec(text)?.[1])
    expect(lost).toBeGreaterThan(50_000)
    expect(text.startsWith('line 0\nline 1\n')).toBe(true)
    // The pipe stays open: a write to it is still under way.
  })
})

describe('a destination that takes nothing', () => {
  it('has a bounded number of pieces waiting for it, however small they are', () => {
    const batches: (readonly Buffer[])[] = []
    const writer = new BoundedWriter((chunks) => void batches.push(chunks))
    writer.hold()
    for (let i = 0; i < 500_000; i++) writer.write(Buffer.from('\n'))
    writer.release()
    // Each piece takes some hundred bytes besides its own.
    expect(batches[0]?.length).toBeLessThanOrEqual(1 << 14)
    expect((batches[0]?.length ?? 0) + writer.lostLines).toBe(500_000)
  })
})

describe('a rotated file', () => {
  it('keeps so many files of such a size, and loses no line', async () => {
    const folder = scratch('rotated')
    const writer = new BoundedWriter(toRotatedFile(join(folder, 'sub', 'out'), { maxBytes: 1000, keep: 3 }))
    for (let i = 0; i < 40; i++) {
      writer.write(lines(i * 10, 10))
      await writer.settled(60_000)
    }
    expect(readdirSync(join(folder, 'sub')).toSorted()).toEqual(['out', 'out.1', 'out.2'])
    const kept = ['out.2', 'out.1', 'out'].map((name) => readFileSync(join(folder, 'sub', name), 'utf8')).join('')
    expect(kept.endsWith('line 399\n')).toBe(true)
    expect(kept.split('\n').length).toBeGreaterThan(200)
  })

  it('stays as small as it is to be when it is the only one that is kept', async () => {
    const path = join(scratch('rotated'), 'out')
    const writer = new BoundedWriter(toRotatedFile(path, { maxBytes: 1000, keep: 1 }))
    for (let i = 0; i < 40; i++) {
      writer.write(lines(i * 10, 10))
      await writer.settled(60_000)
    }
    const kept = readFileSync(path, 'utf8')
    expect(kept.endsWith('line 399\n')).toBe(true)
    expect(kept.length).toBeLessThan(1200)
  })

  it('tells when it cannot be written', async () => {
    const writer = new BoundedWriter(toRotatedFile('/proc/none/out', { maxBytes: 1000, keep: 3 }))
    writer.write(lines(0, 3))
    await writer.settled(60_000)
    expect(writer.lostLines).toBe(3)
  })
})

describe('the end of the output', () => {
  it('is remembered without colours and control characters', () => {
    const tail = new Tail()
    for (let i = 0; i < 2000; i++) tail.add(Buffer.from(`number ${i}\n`))
    tail.add(Buffer.from('\x1b[31mred\x1b[0m\r\n\n  last\tone  '))
    expect(tail.lines(3)).toEqual(['number 1999', 'red', 'last one'])
  })
})

describe('a service that prints without end', () => {
  it('is not held up by a container whose output nobody reads', async () => {
    const { read, write } = bindLibc().pipe()
    const container = pod('none', { TARSNODE_ON_EXIT: 'exit' })
    const log = join(container.root, 'usr/local/app/tars/app_log/Test/EchoServer/stdout_stderr')
    // More than waits for who does not read, and never more at once than waits for the disk.
    const loop = `sh -c 'i=0; while [ $i -lt 40000 ]; do echo "some words to fill the pipe $i"; i=$((i+1)); if [ $((i % 10000)) = 0 ]; then until grep -q "pipe $((i-1))$" ${log}; do :; done; fi; done; exit 9'`
    const stalled = await supervise({ ...container, env: { ...container.env, ...command('/bin/sh', loop) } }, ['ignore', write, 'pipe'])
    await stalled.output(/exited with code 9/)
    expect((await stalled.ended).code).toBe(9)
    const file = readFileSync(log, 'utf8')
    expect(file.endsWith('some words to fill the pipe 39999\n')).toBe(true)
    expect(file.split('\n')).toHaveLength(40_001)
    for (const fd of [read, write]) closeSync(fd)
  })

  it('runs on when the reader of the container\'s output is gone', async () => {
    const { read, write } = bindLibc().pipe()
    // Each line is a write of the supervisor's own that fails: it is tried again a second after a failure.
    const lines = `sh -c 'for i in 1 2 3; do echo "line $i"; sleep 1.1; done; exit 9'`
    const space = await supervise(pod('none', { ...command('/bin/sh', lines), TARSNODE_ON_EXIT: 'exit' }), ['ignore', write, 'pipe'])
    for (const fd of [read, write]) closeSync(fd)
    expect(exitCode(await space.ended)).toBe(9)
    expect(space.stderr).toMatch(/exited with code 9/)
  })

  it('may open /dev/stdout anew', async () => {
    const space = await supervise(pod('none', { ...command('/bin/sh', `sh -c 'echo again > /dev/stdout; exit 0'`), TARSNODE_ON_EXIT: 'exit' }))
    expect((await space.ended).code).toBe(0)
    expect(space.stdout).toBe('again\n')
  })
})

describe('wait statuses', () => {
  it('decode as in wait(2)', () => {
    expect([decodeStatus(0x2a00), decodeStatus(9), decodeStatus(0x80 | 11)]).toEqual([
      { code: 42, signal: null, core: false },
      { code: null, signal: 9, core: false },
      { code: null, signal: 11, core: true },
    ])
  })
})
