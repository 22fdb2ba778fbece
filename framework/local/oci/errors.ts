/** Error codes of the OCI distribution-spec 1.1, with the HTTP status each travels with. */
const statuses = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  RANGE_INVALID: 416,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 413,
  TAG_INVALID: 400,
  UNAUTHORIZED: 401,
  UNSUPPORTED: 405,
} as const

export type ErrorCode = keyof typeof statuses

/** Thrown by the store and the routes; the server answers it as the specification's JSON. */
export class OciError extends Error {
  override readonly name = 'OciError'
  readonly code: ErrorCode
  readonly detail: unknown

  constructor(code: ErrorCode, message: string, detail?: unknown) {
    super(message)
    this.code = code
    this.detail = detail
  }

  get status(): number {
    return statuses[this.code]
  }

  get body(): string {
    const detail = this.detail === undefined ? {} : { detail: this.detail }
    return `${JSON.stringify({ errors: [{ code: this.code, message: this.message, ...detail }] })}\n`
  }
}
