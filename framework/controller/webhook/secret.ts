import type { AnyObject } from '#kube/types.ts'
import { splitPem, type Certificates } from './certificates.ts'

// Certificates in a Secret, under the names that other tools know: ca.crt (all to trust), ca.key, tls.crt, tls.key.

/** The certificates in a Secret; what is not there or is no text counts as missing. */
export function readSecret(secret: AnyObject): Certificates {
  const text = (key: string): string | undefined => {
    const value: unknown = secret['data']?.[key]
    return typeof value === 'string' && value !== '' ? Buffer.from(value, 'base64').toString('utf8') : undefined
  }
  const [cert, key] = [text('tls.crt'), text('tls.key')]
  return { authorities: splitPem(text('ca.crt') ?? ''), authorityKey: text('ca.key'), serving: cert === undefined || key === undefined ? undefined : { cert, key } }
}

/** The `data` of a Secret that holds the certificates. */
export function secretData({ authorities, authorityKey, serving }: Certificates): Record<string, string> {
  const texts = { 'ca.crt': authorities.join(''), 'ca.key': authorityKey, 'tls.crt': serving?.cert, 'tls.key': serving?.key }
  return Object.fromEntries(Object.entries(texts).flatMap(([name, text]) => (text === undefined ? [] : [[name, Buffer.from(text).toString('base64')]])))
}
