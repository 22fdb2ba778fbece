// Uploads to a server that takes them, refuses them half-way, or goes away.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { postForm } from '../../framework/cli/parts/multipart.ts'

const size = 8 << 20
let folder: string
let server: Server | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-upload-'))
  await writeFile(join(folder, 'big.tgz'), Buffer.alloc(size, 7))
})

afterEach(() => new Promise<void>((resolve) => (server === undefined ? resolve() : server.closeAllConnections() ?? server.close(() => resolve()))))
afterAll(() => rm(folder, { recursive: true, force: true }))

async function post(listener: RequestListener, onProgress: (sent: number) => void = () => {}) {
  const started = createServer(listener)
  server = started
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(started.address() as AddressInfo).port}/x`
  return postForm({ url, fields: { Mark: 'a "quoted"\r\nmark' }, file: { field: 'ServerFile', path: join(folder, 'big.tgz'), name: 'big.tgz', size }, onProgress, signal: new AbortController().signal })
}

test('the form has the length it announces, its fields and the whole file', async () => {
  const progress: number[] = []
  const answer = await post(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    const text = body.toString('latin1')
    const ok = body.length === Number(request.headers['content-length']) && text.includes('name="Mark"\r\n\r\na "quoted"\r\nmark\r\n') && text.includes('filename="big.tgz"') && text.split('\u0007').length === size + 1
    response.end(ok ? 'fine' : 'wrong')
  }, (sent) => progress.push(sent))
  expect(answer).toEqual({ status: 200, text: 'fine' })
  expect(progress.at(-1)).toBe(size)
})

test('an answer that comes before the end of the package counts', async () => {
  const answer = await post((_request, response) => {
    response.writeHead(413)
    response.end('too large')
  })
  expect(answer).toEqual({ status: 413, text: 'too large' })
})

test('a connection that breaks is an error that says where', async () => {
  await expect(post((request) => void request.once('data', () => request.destroy()))).rejects.toThrow(/tarsimage does not take the package at http:\/\/127\.0\.0\.1/)
})
