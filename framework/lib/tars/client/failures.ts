import { Failure } from '#base/errors.ts'

/** The failures of a call that got no answer. All but the last are temporary: the same call may succeed later. */
export const failures = {
  connect: (endpoint: string, cause: unknown): Failure =>
    new Failure('TARS_CONNECT', `cannot connect to "${endpoint}"`, { temporary: true, cause, context: { endpoint }, remedy: 'check that the server runs and listens there' }),
  closed: (endpoint: string, why: string, cause?: unknown): Failure =>
    new Failure('TARS_CLOSED', `the connection to "${endpoint}" ended before the answer came: ${why}`, { temporary: true, cause, context: { endpoint } }),
  badReply: (endpoint: string, cause: unknown): Failure =>
    new Failure('TARS_BAD_REPLY', `"${endpoint}" sent something that is no Tars response; the connection was dropped`, { temporary: true, cause, context: { endpoint }, remedy: 'check what listens there' }),
  timeout: (what: string, ms: number): Failure =>
    new Failure('TARS_TIMEOUT', `${what} was not answered within ${ms} ms`, { temporary: true, context: { what, ms }, remedy: 'check the server, or allow more time' }),
  overload: (endpoint: string, limit: number): Failure =>
    new Failure('TARS_OVERLOAD', `${limit} calls to "${endpoint}" are under way already`, { temporary: true, context: { endpoint, limit }, remedy: 'call less at once, or raise maxInFlight' }),
  noEndpoint: (object: string, why: string, cause?: unknown): Failure =>
    new Failure('TARS_NO_ENDPOINT', `no endpoint of ${object} is known: ${why}`, { temporary: true, cause, context: { object }, remedy: 'check that its server is deployed and active' }),
  stopped: (): Failure => new Failure('TARS_STOPPED', 'the communicator is closed', { remedy: 'make the call before close(), or use another communicator' }),
} as const
