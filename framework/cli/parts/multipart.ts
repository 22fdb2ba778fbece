import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
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
/** Read and sent at a time. */
const pieceBytes = 256 << 10

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
  const sent = send(request, [head, tail], file, onProgress).catch((error: unknown) => void request.destroy(error as Error))
  try {
    return await answered
  } catch (cause) {
    signal.throwIfAborted()
    await sent
    throw new Failure('IMAGE_UNREACHABLE', `tarsimage does not take the package at ${new URL(url).origin}`, { cause, remedy: 'see whether the cluster runs: "tarsk8s status tars.tarsimage"' })
  }
}

/** Two buffers take turns, one is read while the other is sent: pieces with memory of their own would be left to the collector. */
async function send(request: http.ClientRequest, [head, tail]: readonly [Buffer, Buffer], { path, size }: Upload['file'], onProgress: (sent: number) => void): Promise<void> {
  let done = (): void => {}
  request.once('close', () => done())
  const put = (piece: Buffer): Promise<void> =>
    new Promise((resolve) => {
      done = resolve
      request.write(piece, () => resolve())
    })
  const buffers = [Buffer.allocUnsafeSlow(pieceBytes), Buffer.allocUnsafeSlow(pieceBytes)] as const
  const source = await open(path)
  try {
    request.write(head)
    let taken = Promise.resolve()
    let [reading, next] = buffers
    for (let sent = 0; sent < size && !request.destroyed; [reading, next] = [next, reading]) {
      const { bytesRead } = await source.read(reading, 0, Math.min(pieceBytes, size - sent))
      if (bytesRead === 0) throw new Error(`${path} became shorter while it was sent`)
      await taken
      taken = put(reading.subarray(0, bytesRead))
      onProgress((sent += bytesRead))
    }
    await taken
    request.end(tail)
  } finally {
    await source.close()
  }
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
