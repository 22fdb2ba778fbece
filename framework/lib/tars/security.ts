// What an environment says of who may call this process, and as whom it calls others.
import type { Environment } from '#base/lifecycle.ts'
import { accountEnv, accountsEnv, type Accounts } from './auth.ts'
import type { CommunicatorOptions } from './client.ts'
import { clientTlsEnv, tlsEnv, type TlsSettings } from './tls.ts'

/** How servants are guarded: see {@link tlsEnv} and {@link accountsEnv}. @throws Failure ENV_INVALID, TARS_ACCOUNTS */
export function guardEnv(env: Environment): { readonly tls: TlsSettings | undefined; readonly accounts: Accounts | undefined } {
  return { tls: tlsEnv(env), accounts: accountsEnv(env) }
}

/** Whom a process trusts that calls, and what it shows. */
export type Credentials = Pick<CommunicatorOptions, 'tls' | 'account'>

/** See {@link clientTlsEnv} and {@link accountEnv}. @throws Failure ENV_INVALID */
export function credentialsEnv(env: Environment): Credentials {
  const [tls, account] = [clientTlsEnv(env), accountEnv(env)]
  return { ...(tls === undefined ? {} : { tls }), ...(account === undefined ? {} : { account: () => account }) }
}
