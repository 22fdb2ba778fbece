/** What a {@link Failure} carries besides its sentence. */
export interface FailureOptions {
  /** Facts for the log: plain values only, no secrets. */
  readonly context?: Readonly<Record<string, unknown>>
  /** The error that led here. */
  readonly cause?: unknown
  /** True when the same call may succeed later without any change by the caller. */
  readonly temporary?: boolean
  /** What the reader can do about it, one sentence. */
  readonly remedy?: string
}

/**
 * An error an operator can act on: a stable code, one sentence, and optionally a remedy.
 * Every expected failure of this project is one of these; anything else is a defect.
 */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: string
  readonly context: Readonly<Record<string, unknown>>
  readonly temporary: boolean
  readonly remedy: string | undefined

  /** @param code stable, upper snake case, one table a room, e.g. `PACKAGE_PATH_ESCAPES` */
  constructor(code: string, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.context = options.context ?? {}
    this.temporary = options.temporary ?? false
    this.remedy = options.remedy
  }
}

/** The one-line text of any thrown value, causes included; Failures end with their remedy. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error.message === '' ? error.name : error.message
  const cause = error.cause === undefined ? '' : `: ${describe(error.cause)}`
  const remedy = error instanceof Failure && error.remedy !== undefined ? ` (${error.remedy})` : ''
  return own + cause + remedy
}

/** True when trying again later may help: a temporary Failure, or a network error of the operating system. */
export function isTemporary(error: unknown): boolean {
  if (error instanceof Failure) return error.temporary
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && temporaryCodes.has(code)
}

const temporaryCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'UND_ERR_SOCKET'])
