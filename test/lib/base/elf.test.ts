import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { copyStripped } from '#base/elf.ts'

const folder = mkdtempSync(join(tmpdir(), 'elf-'))
const at = (name: string): string => join(folder, name)
afterAll(() => rmSync(folder, { recursive: true }))

describe('copyStripped', () => {
  it('leaves a program that runs and has no symbols', () => {
    copyStripped(process.execPath, at('node'))
    expect(execFileSync(at('node'), ['-p', '6 * 7'], { encoding: 'utf8' })).toBe('42\n')
    expect(statSync(at('node')).mode & 0o777).toBe(statSync(process.execPath).mode & 0o777)
    expect(statSync(at('node')).size).toBeLessThan(0.8 * statSync(process.execPath).size)
    expect(readFileSync(at('node')).readBigUInt64LE(40), 'offset of the section table').toBe(0n)
  })

  it('gives the same bytes again, of a stripped program too', () => {
    copyStripped(process.execPath, at('first'))
    copyStripped(at('first'), at('second'))
    expect(readFileSync(at('second')).equals(readFileSync(at('first')))).toBe(true)
  })

  it('refuses what is no executable, and one that is cut short, and leaves nothing', () => {
    writeFileSync(at('script'), '#!/bin/sh\n')
    copyStripped(process.execPath, at('cut'))
    truncateSync(at('cut'), statSync(at('cut')).size - 1)
    for (const name of ['script', 'cut']) {
      expect(() => copyStripped(at(name), at('out'))).toThrow(expect.objectContaining({ code: 'ELF_INVALID' }))
      expect(existsSync(at('out'))).toBe(false)
    }
  })
})
