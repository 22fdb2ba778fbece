import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { bcrypt } from '#base/bcrypt.ts'

const sameSalt = Buffer.from('10410410410410410410410410410410', 'hex')

describe('bcrypt', () => {
  test('has the form of others: version, cost, salt, hash', () => {
    expect(bcrypt('U*U', { cost: 5, salt: sameSalt })).toBe('$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW')
  })

  test('is what the system\'s crypt(3) makes', () => {
    const salt = fc.uint8Array({ minLength: 16, maxLength: 16 })
    fc.assert(fc.property(fc.stringMatching(/^[ -~äß漢]{0,80}$/), salt, fc.constantFrom(4, 6), (password, bytes, cost) => {
      const hash = bcrypt(password, { cost, salt: bytes })
      expect(hash).toHaveLength(60)
      expect(execFileSync('perl', ['-e', 'print crypt($ARGV[0], $ARGV[1])', password, hash.slice(0, 29)]).toString()).toBe(hash)
    }), { numRuns: 30 })
  })
})
