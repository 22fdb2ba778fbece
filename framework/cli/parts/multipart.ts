import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Failure } from '#base/errors.ts'

export interface Upload {
  readonly url: string
  readonly fields: Readonly<Record<string, string>>
  readonly file: { readonly field: string; readonly path: string; readonly name: string; /** Bytes. */ readonly size: number }
  /** @param sent bytes of the file handed to the network */
  readonly onProgress: (sent: number) => void
  readonly signal: AbortSignal
}

export interface UploadAnswer {
  readonly status: number
  readonly text: string
}

/** Milliseconds of silence after which an upload is given up. */
const stallMs = 300_000

/** Posts a form with one file as multipart/form-data (RFC 7578), streamed from disk with its length known beforehand. */
export async function postForm({ url, fields, file, onProgress, signal }: Upload): Promise<UploadAnswer> {
  const boundary = `tarsk8s-${randomBytes(12).toString('hex')}`
  const head = Buffer.from(`${Object.entries(fields).map(([name, value]) => part(boundary, name, value)).join('')}${fileHead(boundary, file)}`)
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  const request = (url.startsWith('https:') ? https : http).request(url, {
    method: 'POST',
    signal,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': head.length + file.size + tail.length },
  })
  request.setTimeout(stallMs, () => request.destroy(new Error(`nothing happened for ${stallMs / 1000} s`)))
  // A server that refuses answers and closes before it has read all: its answer counts, not the broken pipe.
  const answered = answerOf(request)
  answered.catch(() => {})
  const sent = pipeline(Readable.from(body(head, file, tail, onProgress)), request).catch((error: unknown) => error)
  try {
    return await answered
  } catch (cause) {
    signal.throwIfAborted()
    await sent
    throw new Failure('IMAGE_UNREACHABLE', `tarsimage does not take the package at ${new URL(url).origin}`, { cause, remedy: 'see whether the cluster runs: "tarsk8s status tars.tarsimage"' })
  }
}

async function* body(head: Buffer, file: Upload['file'], tail: Buffer, onProgress: (sent: number) => void): AsyncGenerator<Buffer> {
  yield head
  let sent = 0
  for await (const chunk of createReadStream(file.path, { highWaterMark: 256 * 1024, end: file.size - 1 })) {
    yield chunk as Buffer
    onProgress((sent += (chunk as Buffer).length))
  }
  if (sent !== file.size) throw new Error(`${file.path} became shorter while it was sent`)
  yield tail
}

function answerOf(request: http.ClientRequest): Promise<UploadAnswer> {
  return new Promise((resolve, reject) => {
    let begun = false
    // Once an answer has begun, a broken pipe is only the rest of the package that nobody wanted.
    request.on('error', (error) => !begun && reject(error))
    request.on('response', (answer) => {
      begun = true
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('error', reject)
      answer.on('close', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }))
    })
  })
}

function part(boundary: string, name: string, value: string): string {
  return `--${boundary}\r\nContent-Disposition: form-data; name="${quote(name)}"\r\n\r\n${value}\r\n`
}

function fileHead(boundary: string, { field, name }: Upload['file']): string {
  return `--${boundary}\r\nContent-Disposition: form-data; name="${quote(field)}"; filename="${quote(name)}"\r\nContent-Type: application/octet-stream\r\n\r\n`
}

function quote(text: string): string {
  return text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}
