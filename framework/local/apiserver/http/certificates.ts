import { createAuthority, issueCertificate, remainingMs } from '#kube/x509.ts'
import type { KeyPair } from '#kube/x509.ts'
import type { Store } from '../store.ts'

const authorityDays = 3650
const serverDays = 365
/** An authority this near to its end is replaced at the next start. */
const authorityReserveMs = 400 * 86_400_000

/** The cluster's certificate authority: made at the first start, kept with the data. */
export function clusterAuthority(store: Store): KeyPair {
  const kept = store.setting('authority')
  const pair = kept === undefined ? undefined : (JSON.parse(kept) as KeyPair)
  if (pair !== undefined && remainingMs(pair.cert) > authorityReserveMs) return pair
  const fresh = createAuthority({ commonName: 'tarsk8s-cluster', validDays: authorityDays })
  store.setSetting('authority', JSON.stringify(fresh))
  return fresh
}

export function serverCertificate(authority: KeyPair, host: string): KeyPair {
  const hosts = [...new Set([host, '127.0.0.1', '::1', 'localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'])]
  return issueCertificate(authority, { commonName: 'kube-apiserver', hosts, validDays: serverDays })
}
