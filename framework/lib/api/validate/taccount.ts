import { accountName, isPassword } from '../mutate/taccount.ts'
import type { TAccount } from '../types.ts'
import { invalid, type Problem } from './problem.ts'

/** Control-plane spec B.6: one account a user. */
export function validateAccount({ metadata, spec: { username } }: TAccount): Problem[] {
  const wanted = accountName(username)
  if (metadata.name === wanted) return []
  return [invalid('taccount', 'metadata.name', 'unexpected resource name', `must be the hexadecimal MD5 of spec.username, which is "${wanted}"`, `set metadata.name to "${wanted}"`)]
}

/** Of a password that was given, which is in no text here. */
export function validatePassword({ spec: { authentication: { password } } }: TAccount): Problem[] {
  if (password === undefined || isPassword(password)) return []
  return [invalid('taccount', 'spec.authentication.password', 'password should match pattern ^[\\x21-\\x7e]{6,32}$', 'it has 6 to 32 letters, digits and signs of ASCII, and no blanks', 'choose another password')]
}
