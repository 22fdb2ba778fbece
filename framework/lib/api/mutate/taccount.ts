import { createHash } from 'node:crypto'
import { withAnnotations } from '../meta.ts'
import { patterns } from '../schema/patterns.ts'
import type { TAccount } from '../types.ts'

/** kubectl keeps what it applied here, a password in clear among it. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/** Name of the TAccount of a user. */
export function accountName(username: string): string {
  return createHash('md5').update(username).digest('hex')
}

/** What is hashed instead of a password: users' browsers send this. */
function passwordDigest(password: string): string {
  return createHash('sha1').update(password).digest('hex')
}

/**
 * A password becomes its hash, and a changed password takes the tokens along (control-plane spec B.6). One that cannot be
 * stays, to be refused.
 * @param hash makes a bcrypt hash
 * @param old the object before an update; absent for a new one
 */
export function mutateAccount(account: TAccount, hash: (text: string) => string, old?: TAccount): TAccount {
  const { password, ...rest } = account.spec.authentication
  const isNew = password !== undefined && isPassword(password)
  const authentication = isNew ? { ...rest, bcryptPassword: hash(passwordDigest(password)) } : account.spec.authentication
  const stays = old !== undefined && authentication.bcryptPassword === old.spec.authentication.bcryptPassword
  return {
    ...account,
    metadata: withAnnotations(account.metadata, { [lastApplied]: undefined }),
    spec: { ...account.spec, authentication: stays ? authentication : { ...authentication, tokens: [] } },
  }
}

/** True for what may be a password. */
export function isPassword(text: string): boolean {
  return text.length >= 6 && text.length <= 32 && new RegExp(patterns.visible).test(text)
}
