import type { ServerResponse } from 'node:http'
import { describe } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { ApiError } from '../errors.ts'

export function sendJson(response: ServerResponse, code: number, body: unknown, warnings: readonly string[] = []): void {
  const payload = Buffer.from(JSON.stringify(body))
  if (warnings.length > 0) response.setHeader('warning', warnings.map((text) => `299 - ${quoted(text)}`))
  response.writeHead(code, { 'content-type': 'application/json', 'content-length': payload.length, 'cache-control': 'no-cache, private' })
  response.end(payload)
}

export function sendText(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' })
  response.end(text)
}

/** A warn-text of RFC 7234: control characters cannot travel in a header, others beyond Latin-1 are percent-escaped. */
function quoted(text: string): string {
  const safe = text.replace(/[^\x20-\x7e]/gu, (character) => (character < ' ' ? ' ' : encodeURIComponent(character)))
  return `"${safe.replace(/["\\]/g, '\\$&').slice(0, 1000)}"`
}

/** Any thrown value as a Status; what is not an ApiError is a defect: logged, and answered with 500. */
export function sendError(response: ServerResponse, error: unknown, log: Logger): void {
  const known = error instanceof ApiError ? error : internal(error, log)
  if (!response.headersSent) sendJson(response, known.code, known.toStatus())
  else response.destroy()
}

function internal(error: unknown, log: Logger): ApiError {
  log.error('request failed unexpectedly', { error, stack: error instanceof Error ? error.stack : undefined })
  return new ApiError(500, 'InternalError', `Internal error occurred: ${describe(error)}`)
}
