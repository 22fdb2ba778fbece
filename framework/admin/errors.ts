import { Failure, describe } from '#base/errors.ts'
import { KubeError } from '#kube/errors.ts'
import type { ErrorBody } from './contract.ts'

/** Which HTTP status a code of this room is answered with. */
const statusOfCode: Readonly<Record<string, number>> = {
  SERVER_UNKNOWN: 404,
  POD_UNKNOWN: 404,
  NODE_UNKNOWN: 404,
  ROUTE_UNKNOWN: 404,
  QUERY_INVALID: 400,
  ORIGIN_REFUSED: 403,
  CALLER_REFUSED: 403,
  SERVER_HAS_NO_NODE: 409,
  NOTIFY_UNAVAILABLE: 503,
}

export interface HttpRefusal {
  readonly status: number
  readonly body: ErrorBody
}

/** Any thrown value as the answer to a request. What is no expected failure tells the caller nothing of its inside. */
export function refusalOf(error: unknown): HttpRefusal {
  if (error instanceof KubeError) return { status: error.status >= 400 && error.status < 500 ? error.status : 502, body: bodyOf(error) }
  if (error instanceof Failure) return { status: statusOfCode[error.code] ?? (error.temporary ? 503 : 500), body: bodyOf(error) }
  const { statusCode, code } = error as { statusCode?: number; code?: string }
  // Fastify's own refusals: a body that is too large, a path that cannot be decoded.
  if (statusCode !== undefined && statusCode < 500) return { status: statusCode, body: { code: code ?? 'REQUEST_INVALID', message: describe(error) } }
  return { status: 500, body: { code: 'INTERNAL', message: 'the request failed for a reason that was not expected', remedy: 'see the log of tarsadmin' } }
}

function bodyOf({ code, message, remedy }: Failure): ErrorBody {
  return { code, message, ...(remedy === undefined ? {} : { remedy }) }
}

export function unknownServer(name: string): Failure {
  return new Failure('SERVER_UNKNOWN', `there is no server ${name}`, { remedy: '"tarsk8s status", or GET /api/v1/servers, lists them all' })
}

export function unknownPod(name: string, server?: string): Failure {
  return new Failure('POD_UNKNOWN', server === undefined ? `there is no pod ${name}` : `server ${server} has no pod ${name}`, { remedy: '"tarsk8s status", or GET /api/v1/pods, lists them all' })
}
