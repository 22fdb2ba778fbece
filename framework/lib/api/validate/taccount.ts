import { accountName } from '../mutate/taccount.ts'
import type { TAccount } from '../types.ts'
import { invalid, type Problem } from './problem.ts'

/** Control-plane spec B.6: one account a user. */
export function validateAccount({ metadata, spec: { username } }: TAccount): Problem[] {
  const wanted = accountName(username)
  if (metadata.name === wanted) return []
  return [invalid('taccount', 'metadata.name', 'unexpected resource name', `must be the hexadecimal MD5 of spec.username, which is "${wanted}"`, `set metadata.name to "${wanted}"`)]
}
