import { Failure } from '#base/errors.ts'
import type { Upload } from './upload.ts'

const longest = 200

/** A failure about an upload as its sender knows it: by the name it has there, not by where it is kept here. */
export function byOwnName(error: unknown, { file, filename }: Pick<Upload, 'file' | 'filename'>): unknown {
  if (!(error instanceof Failure) || error.context['path'] !== file) return error
  const { code, message, context, cause, temporary, remedy } = error
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  const shown = filename.replaceAll(/[\x00-\x1f\x7f]/g, '').slice(0, longest)
  return new Failure(code, message.replaceAll(file, () => shown), { context: { ...context, path: shown }, cause, temporary, ...(remedy === undefined ? {} : { remedy }) })
}
