import { Failure } from '#base/errors.ts'

const tlsCodes = /^(?:CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_|HOSTNAME_MISMATCH|EPROTO)/
const unreachableCodes = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EADDRNOTAVAIL'])

/** Turns an error of the socket into the failure an operator can act on. Failures and aborts pass unchanged. */
export function connectionFailure(error: unknown, registry: string, doing: string): unknown {
  if (error instanceof Failure) return error
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code !== 'string' || code === 'ABORT_ERR') return error
  const context = { registry, code }
  if (tlsCodes.test(code)) {
    return new Failure('REGISTRY_TLS', `registry ${registry} could not be trusted while ${doing}`, { cause: error, context, remedy: 'give its CA certificate, or name it as an insecure (plain HTTP) registry if it speaks no TLS' })
  }
  if (unreachableCodes.has(code)) {
    return new Failure('REGISTRY_UNREACHABLE', `registry ${registry} is unreachable while ${doing}`, { cause: error, context, temporary: code !== 'ENOTFOUND', remedy: 'check its address and port, and that it runs' })
  }
  return new Failure('REGISTRY_CUT', `the connection to registry ${registry} was cut while ${doing}`, { cause: error, context, temporary: true, remedy: 'try again; if it stays so, look at the registry and the proxies before it' })
}

interface RegistryErrors {
  readonly errors?: readonly { readonly code?: string; readonly message?: string }[]
}

/** The registry's own words (distribution-spec "Error codes"), or the beginning of its body. */
function words(body: string): string {
  try {
    const { errors = [] } = JSON.parse(body) as RegistryErrors
    const text = errors.map((error) => [error.code, error.message].filter(Boolean).join(': ')).join('; ')
    if (text !== '') return text
  } catch {
    // Not JSON: a proxy's page.
  }
  return body.trim().slice(0, 200)
}

/** 416: what a connection carried before it was cut was still being taken in when the registry was asked how far it got. */
const temporaryStatus = new Set([408, 416, 425, 429, 500, 502, 503, 504])

/** The failure that an unexpected HTTP status means. */
export function statusFailure(status: number, body: string, registry: string, doing: string): Failure {
  const said = words(body)
  const tail = said === '' ? '' : `: ${said}`
  const context = { registry, status }
  if (status === 401 || status === 403) {
    return new Failure('REGISTRY_DENIED', `registry ${registry} refused the credentials while ${doing} (HTTP ${status})${tail}`, { context, remedy: 'check the user, the password or token, and the rights on this repository' })
  }
  if (status === 404) return new Failure('REGISTRY_NOT_FOUND', `registry ${registry} does not have what was asked for while ${doing} (HTTP 404)${tail}`, { context, remedy: 'check the repository name and the tag' })
  if (status === 413) return new Failure('REGISTRY_TOO_LARGE', `registry ${registry} refused the size while ${doing} (HTTP 413)${tail}`, { context, remedy: 'raise the body limit of the registry or of the proxy before it' })
  const temporary = temporaryStatus.has(status)
  return new Failure(temporary ? 'REGISTRY_BUSY' : 'REGISTRY_REFUSED', `registry ${registry} answered HTTP ${status} while ${doing}${tail}`, { context, temporary, remedy: temporary ? 'try again later' : 'look at the log of the registry' })
}
