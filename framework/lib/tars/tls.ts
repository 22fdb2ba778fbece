// Certificates of servers: a folder as a mounted Secret of type kubernetes.io/tls is one, read anew when it changes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readEnv } from '#base/env.ts'
import { describe, Failure } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { ClientTls } from './client/link.ts'

export interface TlsSettings {
  /** With `tls.crt` (the certificate and those above it) and `tls.key`, PEM. */
  readonly folder: string
  /** Callers without TLS are refused. Otherwise both are served at the same port. */
  readonly required: boolean
}

/** TARS_TLS: the folder, without which nothing is encrypted; TARS_TLS_REQUIRED. @throws Failure ENV_INVALID */
export function tlsEnv(env: Environment): TlsSettings | undefined {
  const read = readEnv(env)
  const folder = read.optional('TARS_TLS')
  return folder === undefined ? undefined : { folder, required: read.boolean('TARS_TLS_REQUIRED', false) }
}

/**
 * Whom this process trusts when it calls `ssl` endpoints. TARS_CA: PEM file of authorities, read at each connection; TARS_TLS_NAME: the name that
 * certificates must be for, where endpoints go by address.
 */
export function clientTlsEnv(env: Environment): ClientTls | undefined {
  const read = readEnv(env)
  const file = read.optional('TARS_CA')
  return file === undefined ? undefined : { ca: () => readFileSync(file, 'utf8'), name: read.optional('TARS_TLS_NAME') }
}

export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** How often the folder is looked at, milliseconds: the kubelet puts a new Secret there within a minute or so. */
const lookEveryMs = 10_000

/** The certificate in force; one that cannot be used leaves the last good one. */
export class CertificateFolder {
  readonly #folder: string
  readonly #log: Logger
  readonly #timer: NodeJS.Timeout
  #current: Certificate
  #failed = ''
  onChange: ((certificate: Certificate) => void) | undefined

  /** @throws Failure TARS_TLS when there is none that can be used */
  constructor(folder: string, log: Logger, everyMs = lookEveryMs) {
    this.#folder = folder
    this.#log = log
    try {
      this.#current = checked(readFolder(folder))
    } catch (cause) {
      throw new Failure('TARS_TLS', `there is no certificate with its key in ${folder}`, { cause, remedy: 'put tls.crt and tls.key there, as a Secret of type kubernetes.io/tls has them, or leave TARS_TLS out' })
    }
    this.#timer = setInterval(() => this.look(), everyMs).unref()
  }

  get current(): Certificate {
    return this.#current
  }

  /** Takes what is there now, if it is another one. */
  look(): void {
    try {
      const found = readFolder(this.#folder)
      if (found.cert === this.#current.cert && found.key === this.#current.key) return
      this.#current = checked(found)
      this.#failed = ''
      this.#log.info('another certificate is in force', { folder: this.#folder })
      this.onChange?.(this.#current)
    } catch (error) {
      // While a Secret is being replaced, or for as long as it is bad: said once.
      if (this.#failed !== describe(error)) this.#log.error('the certificate cannot be read; the last good one stays in force', { folder: this.#folder, error })
      this.#failed = describe(error)
    }
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

function readFolder(folder: string): Certificate {
  return { cert: readFileSync(join(folder, 'tls.crt'), 'utf8'), key: readFileSync(join(folder, 'tls.key'), 'utf8') }
}

/** The two belong together. */
function checked(certificate: Certificate): Certificate {
  process.getBuiltinModule('node:tls').createSecureContext({ ...certificate })
  return certificate
}
