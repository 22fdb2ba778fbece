import { open, type FileHandle } from 'node:fs/promises'
import type { MultipartFile } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { Failure } from '#base/errors.ts'
import { giveBack } from '../memory.ts'
import { Arriving, type Arrival } from '../package/arrival.ts'

/** A form whose file is on its way: the fields that stood before it, and the file as it grows. */
export interface ArrivingUpload extends Upload {
  readonly arrival: Arrival
}

export interface Upload {
  readonly fields: ReadonlyMap<string, string>
  /** The package on disk. */
  readonly file: string
  /** Its name at the sender. */
  readonly filename: string
}

const fileField = 'ServerFile'
/** What a form may have besides the file. Bytes. */
const formOverhead = 1 << 20
/** Written at a time: pieces come in 64 KB, and a write costs more than they do. Bytes. */
const writeBytes = 512 << 10

function tooLarge(maxBytes: number): Failure {
  return new Failure('UPLOAD_TOO_LARGE', `the package is larger than ${maxBytes} bytes`, { remedy: 'make it smaller, or raise TARSIMAGE_MAX_UPLOAD' })
}

/**
 * Reads a multipart form, its file straight to disk: memory does not grow with the package. The fields may stand before or
 * behind the file. What is left on disk by a failure is the caller's.
 * @param onFile hears of a file whose length is known as soon as it begins
 * @throws UPLOAD_TOO_LARGE (before reading, when the length is announced), FORM_INVALID, UPLOAD_CUT
 */
export async function receiveUpload(request: FastifyRequest, file: string, maxBytes: number, onFile?: (upload: ArrivingUpload) => void): Promise<Upload> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes + formOverhead) throw tooLarge(maxBytes)
  if (!request.isMultipart()) throw new Failure('FORM_INVALID', 'the request is not multipart/form-data', { remedy: 'send the form of the building call with Content-Type multipart/form-data' })
  if (!/;\s*boundary=\S/i.test(request.headers['content-type'] ?? '')) throw new Failure('FORM_INVALID', 'Content-Type multipart/form-data has no boundary', { remedy: 'send the boundary of the form with it (RFC 7578); HTTP libraries do when they are left to set Content-Type' })
  try {
    return await readForm(request, file, maxBytes, onFile)
  } catch (error) {
    throw translated(error, maxBytes)
  }
}

async function readForm(request: FastifyRequest, file: string, maxBytes: number, onFile?: (upload: ArrivingUpload) => void): Promise<Upload> {
  const fields = new Map<string, string>()
  const arrival = new Arriving(Number(request.headers['content-length'] ?? 0))
  let filename: string | undefined
  for await (const part of request.parts({ limits: { fileSize: maxBytes, fieldSize: 64 << 10, fields: 40, files: 1 } })) {
    if (part.type === 'file') {
      if (arrival.announced > 0) onFile?.({ fields: new Map(fields), file, filename: part.filename, arrival })
      filename = await save(part, file, maxBytes, arrival)
    } else fields.set(part.fieldname, String(part.value))
  }
  if (filename === undefined) throw new Failure('FORM_INVALID', `form field ${fileField} is missing`, { remedy: `send the package as a file in ${fileField}` })
  return { fields, file, filename }
}

async function save(part: MultipartFile, path: string, maxBytes: number, arrival: Arriving): Promise<string> {
  if (part.fieldname !== fileField) throw new Failure('FORM_INVALID', `form field ${part.fieldname} is a file; the package belongs into ${fileField}`, { remedy: `send the file as ${fileField}` })
  // The parser would read on to the end of the part, which may never come.
  part.file.once('limit', () => part.file.destroy(tooLarge(maxBytes)))
  const file = await open(path, 'wx')
  try {
    await write(part.file as AsyncIterable<Buffer>, file, arrival)
    arrival.complete()
  } catch (error) {
    arrival.fail(translated(error, maxBytes))
    throw error
  } finally {
    await file.close()
  }
  return part.filename
}

/** Gathers the pieces of the network, and gives the memory of each back. */
async function write(pieces: AsyncIterable<Buffer>, file: FileHandle, arrival: Arriving): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(writeBytes)
  let filled = 0
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const copied = piece.copy(buffer, filled, at)
      at += copied
      filled += copied
      if (filled < writeBytes) continue
      await file.writeFile(buffer)
      arrival.add(filled)
      filled = 0
    }
    giveBack(piece)
  }
  await file.writeFile(buffer.subarray(0, filled))
  arrival.add(filled)
  giveBack(buffer)
}

function translated(error: unknown, maxBytes: number): unknown {
  if (error instanceof Failure) return error
  const code = (error as { code?: unknown } | null)?.code
  if (code === 'FST_REQ_FILE_TOO_LARGE') return tooLarge(maxBytes)
  if (code === 'ENOSPC') return new Failure('DISK_FULL', 'the disk of the builder is full', { cause: error, temporary: true, remedy: 'free space under TARSIMAGE_WORKSPACE' })
  if (typeof code === 'string' && code.startsWith('FST_')) return new Failure('FORM_INVALID', 'the form cannot be read', { cause: error, remedy: 'send the form of the building call' })
  return new Failure('UPLOAD_CUT', 'the upload ended before the form did', { cause: error, remedy: 'send it again' })
}
