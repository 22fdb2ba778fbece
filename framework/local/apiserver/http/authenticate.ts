import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { UserInfo } from '#kube/admission.ts'

/** The only user: whoever knows the token is an administrator. */
export const administrator: UserInfo = Object.freeze({ username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] })

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Checks `Authorization: Bearer`; undefined when it is missing or wrong. `Impersonate-User` is honoured, as for any administrator. */
export function authenticator(token: string): (request: IncomingMessage) => UserInfo | undefined {
  const expected = digest(`Bearer ${token}`)
  return ({ headers }) => {
    if (!timingSafeEqual(digest(headers.authorization ?? ''), expected)) return undefined
    const username = headers['impersonate-user']
    if (typeof username !== 'string' || username === '') return administrator
    const groups = headers['impersonate-group']
    return { username, groups: ['system:authenticated', ...(groups === undefined ? [] : [groups].flat())] }
  }
}
