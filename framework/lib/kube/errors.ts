import { Failure } from '#base/errors.ts'
import type { Status, StatusDetails } from './types.ts'

export interface KubeErrorOptions {
  /** HTTP status; 0 when no answer came. */
  readonly status: number
  /** Machine-readable reason as in Kubernetes' Status, e.g. `NotFound`, `Conflict`, `Invalid`, `Expired`. */
  readonly reason: string
  readonly details?: StatusDetails | undefined
  readonly cause?: unknown
  /** Milliseconds that the server asked to wait (`Retry-After`). */
  readonly retryAfterMs?: number | undefined
}

/**
 * A refusal of the API server, or the lack of an answer. `temporary` for 429, 5xx and network errors:
 * the same call may succeed later.
 */
export class KubeError extends Failure {
  readonly status: number
  readonly reason: string
  readonly details: StatusDetails
  readonly retryAfterMs: number | undefined

  constructor(message: string, { status, reason, details, cause, retryAfterMs }: KubeErrorOptions) {
    const temporary = status === 0 || status === 429 || status >= 500
    super(`KUBE_${upperSnake(reason)}`, message, { context: { status, reason, details }, cause, temporary })
    this.status = status
    this.reason = reason
    this.details = details ?? {}
    this.retryAfterMs = retryAfterMs
  }
}

/** From the Status body of an answer, or of a watch's ERROR event. */
export function errorFromStatus(body: Status, httpStatus: number, retryAfterMs?: number): KubeError {
  const status = body.code ?? httpStatus
  const message = body.message ?? `the API server answered ${status}`
  return new KubeError(message, { status, reason: body.reason ?? reasonOf(status), details: body.details, retryAfterMs })
}

/** No answer: connection refused, reset, timed out, or an answer that is cut off. */
export function networkError(message: string, cause?: unknown): KubeError {
  return new KubeError(message, { status: 0, reason: 'NetworkError', cause })
}

export const isForbidden = (error: unknown): boolean => hasStatus(error, 403)
export const isNotFound = (error: unknown): boolean => hasStatus(error, 404)
export const isConflict = (error: unknown): boolean => error instanceof KubeError && error.status === 409 && error.reason !== 'AlreadyExists'
export const isAlreadyExists = (error: unknown): boolean => error instanceof KubeError && error.reason === 'AlreadyExists'
export const isInvalid = (error: unknown): boolean => hasStatus(error, 422)
/** The history asked for is compacted away: list again. */
export const isExpired = (error: unknown): boolean => hasStatus(error, 410)

function hasStatus(error: unknown, status: number): boolean {
  return error instanceof KubeError && error.status === status
}

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest', 401: 'Unauthorized', 403: 'Forbidden', 404: 'NotFound', 405: 'MethodNotAllowed', 406: 'NotAcceptable',
  409: 'Conflict', 410: 'Gone', 413: 'RequestEntityTooLarge', 415: 'UnsupportedMediaType', 422: 'Invalid', 429: 'TooManyRequests',
  500: 'InternalError', 503: 'ServiceUnavailable', 504: 'Timeout',
}

function reasonOf(status: number): string {
  return reasons[status] ?? 'Unknown'
}

function upperSnake(text: string): string {
  return text.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase()
}
