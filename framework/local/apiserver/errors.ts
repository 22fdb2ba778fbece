import type { Status, StatusCause, StatusDetails } from '#kube/types.ts'

/** What an error names: the collection and, if known, the object. */
export interface Subject {
  readonly group: string
  readonly plural: string
  readonly kind: string
}

/** A refusal in Kubernetes' own terms (API conventions, "Response Status Kind"); the HTTP layer writes it out. */
export class ApiError extends Error {
  readonly code: number
  readonly reason: string
  readonly details: StatusDetails | undefined

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message)
    this.code = code
    this.reason = reason
    this.details = details
  }

  toStatus(): Status {
    const { code, reason, message, details } = this
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, ...(reason === '' ? {} : { reason }), ...(details === undefined ? {} : { details }), code }
  }
}

const qualified = ({ group, plural }: Subject): string => (group === '' ? plural : `${plural}.${group}`)

function detailsOf({ group, plural }: Subject, name: string, causes?: StatusCause[]): StatusDetails {
  return { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: plural, ...(causes === undefined ? {} : { causes }) }
}

export function notFound(subject: Subject, name: string): ApiError {
  return new ApiError(404, 'NotFound', `${qualified(subject)} "${name}" not found`, detailsOf(subject, name))
}

export function alreadyExists(subject: Subject, name: string): ApiError {
  return new ApiError(409, 'AlreadyExists', `${qualified(subject)} "${name}" already exists`, detailsOf(subject, name))
}

export function conflict(subject: Subject, name: string, why = 'the object has been modified; please apply your changes to the latest version and try again'): ApiError {
  return new ApiError(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(subject)} "${name}": ${why}`, detailsOf(subject, name))
}

export function forbidden(subject: Subject, name: string, why: string): ApiError {
  return new ApiError(403, 'Forbidden', `${qualified(subject)} "${name}" is forbidden: ${why}`, detailsOf(subject, name))
}

/** 422 with one cause a broken rule. */
export function invalid(subject: Subject, name: string, causes: readonly FieldError[]): ApiError {
  const texts = causes.map((cause) => `${cause.field}: ${cause.message}`)
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  const of = subject.group === '' ? subject.kind : `${subject.kind}.${subject.group}`
  const details = { ...detailsOf(subject, name, causes.map(({ reason, message, field }) => ({ reason, message, field }))), kind: subject.kind }
  return new ApiError(422, 'Invalid', `${of} "${name}" is invalid: ${list}`, details)
}

export const badRequest = (message: string): ApiError => new ApiError(400, 'BadRequest', message)
export const expired = (message: string): ApiError => new ApiError(410, 'Expired', message)
export const unauthorized = (): ApiError => new ApiError(401, 'Unauthorized', 'Unauthorized')
export const methodNotAllowed = (): ApiError => new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource')
export const unknownPath = (): ApiError => new ApiError(404, 'NotFound', 'the server could not find the requested resource')
export const tooLarge = (limit: number): ApiError => new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`)
export const unsupportedMediaType = (given: string, accepted: readonly string[]): ApiError =>
  new ApiError(415, 'UnsupportedMediaType', `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')} (got ${given === '' ? 'none' : given})`)

/** A broken rule about one field, worded as Kubernetes does. `message` starts with the class, e.g. `Invalid value: …`. */
export interface FieldError {
  readonly field: string
  readonly reason: 'FieldValueInvalid' | 'FieldValueRequired' | 'FieldValueForbidden' | 'FieldValueNotSupported' | 'FieldValueDuplicate' | 'FieldValueTypeInvalid' | 'FieldValueTooLong' | 'FieldValueTooMany' | 'FieldManagerConflict'
  readonly message: string
}

export const fieldRequired = (field: string, why = ''): FieldError => ({ field, reason: 'FieldValueRequired', message: why === '' ? 'Required value' : `Required value: ${why}` })
export const fieldInvalid = (field: string, value: unknown, why: string): FieldError => ({ field, reason: 'FieldValueInvalid', message: `Invalid value: ${shown(value)}: ${why}` })
export const fieldForbidden = (field: string, why: string): FieldError => ({ field, reason: 'FieldValueForbidden', message: `Forbidden: ${why}` })
export const fieldDuplicate = (field: string, value: unknown): FieldError => ({ field, reason: 'FieldValueDuplicate', message: `Duplicate value: ${shown(value)}` })
export const fieldNotSupported = (field: string, value: unknown, choices: readonly unknown[]): FieldError => ({
  field, reason: 'FieldValueNotSupported', message: `Unsupported value: ${shown(value)}: supported values: ${choices.map(shown).join(', ')}`,
})

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'null'
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
