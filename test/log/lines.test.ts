// Lines of every form and size, in every form of a request, get into the file as the bytes that were sent.
import { connect } from 'node:net'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { systemClock } from '#base/clock.ts'
import { silentLogger } from '#base/log.ts'
import { CallerCheck } from '#kube/caller-check.ts'
import { Communicator } from '#tars/client.ts'
import { createServer } from '#tars/server.ts'
import { createLogInfo, Log, type LogProxy } from '#tars/protocol/LogF.ts'
import { Writer } from '#tars/codec/writer.ts'
import { encodeRequest, FrameReader, decodeResponse, type ResponsePacket } from '#tars/packet.ts'
import { LogFiles } from '../../framework/log/files/log-files.ts'
import { logInterface } from '../../framework/log/log-codec.ts'
import { logServant } from '../../framework/log/log-servant.ts'
import { noOverrides, parseOverrides, type Overrides } from '../../framework/log/model/overrides.ts'

const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-lines-'))
const communicator = new Communicator({ timeoutMs: 60_000 })
afterAll(async () => {
  await communicator.close()
  await rm(folder, { recursive: true, force: true })
})

interface Served {
  readonly port: number
  readonly log: LogProxy
  /** Of the server's conf; changed while it serves. */
  readonly settings: { overrides: Overrides }
  text(file: string): Promise<string>
}

/** LogObj for one caller, who is not known before somebody asked for it. @param strange nobody knows the caller yet */
async function serve(name: string, strange = false): Promise<Served> {
  const files = new LogFiles({ root: join(folder, name), clock: systemClock })
  let owners = strange ? [] : ['A.B']
  const callers = { ownersAt: () => owners, isOwner: () => true, learn: async () => { owners = await Promise.resolve(['A.B']) } }
  const check = new CallerCheck({ mode: 'enforce', trusts: () => false, callers, log: silentLogger })
  const settings = { overrides: noOverrides }
  const servant = logServant({ append: (path, bytes) => files.append(path, bytes), namesNode: true, overrides: () => settings.overrides, onTraceLine: () => {}, check, clock: systemClock })
  const server = createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0', servants: { 'tars.tarslog.LogObj': { interface: logInterface(), servant } } }] })
  await server.start()
  const port = server.endpoints[0]?.port ?? 0
  onTestFinished(async () => {
    await server.stop()
    await files.stop()
  })
  return { port, settings, log: communicator.proxy<LogProxy>(Log, `tars.tarslog.LogObj@tcp -h 127.0.0.1 -p ${port}`), text: (file) => readFile(join(folder, name, `A/B/A.B_${file}_f.log`), 'utf8') }
}

const manifold = ['a\n', '', 'ä漢\n', 'x'.repeat(255), 'y'.repeat(256), `${'z'.repeat(400_000)}\n`, ...Array.from({ length: 3000 }, (_, index) => `${index} ${'.'.repeat(index % 300)}\n`)]
const headed = manifold.map((line) => `127.0.0.1|${line}`).join('')

test.each([1, 3, 5] as const)('empty, short, long and huge ones, version %i', async (version) => {
  const { log, text } = await serve(`v${version}`)
  await log.logger('A', 'B', 'all', 'f', manifold, { version })
  expect(await text('all')).toBe(headed)
})

test('of several nodes that ask for the same: each is named', async () => {
  const { log, text } = await serve('nodes')
  for (const node of ['one', 'two', 'one']) for (const line of ['a', 'b']) await log.logger('A', 'B', 'nodes', 'f', [`${line}\n`], { context: { node_name: node } })
  expect(await text('nodes')).toBe('one|a\none|b\ntwo|a\ntwo|b\none|a\none|b\n')
})

test('settings of the server count at once for who asked before (4.3)', async () => {
  const { log, settings, text } = await serve('settings')
  const write = (line: string): Promise<void> => log.logger('A', 'B', 'x', 'f', [line])
  await write('a\n')
  settings.overrides = parseOverrides('<tars>\n<log>\n<format>\nhour=A.B\n</format>\n</log>\n</tars>')
  await write('b\n')
  settings.overrides = noOverrides
  await write('c\n')
  expect(await text('x')).toBe('127.0.0.1|a\n127.0.0.1|c\n')
  expect((await readdir(join(folder, 'settings/A/B'))).toSorted()).toEqual([expect.stringMatching(/^A\.B_x_\d{10}\.log$/), 'A.B_x_f.log'])
})

test('of a caller who has to be asked for first', async () => {
  const { log, text } = await serve('stranger', true)
  await Promise.all(['one', 'two', 'three'].map((file) => log.logger('A', 'B', file, 'f', manifold)))
  expect([await text('one'), await text('two'), await text('three')]).toEqual([headed, headed, headed])
})

test('a head that makes far more of them than was sent is refused, before there is memory for it', async () => {
  const { log, text } = await serve('amplified')
  const call = log.loggerbyInfo(createLogInfo({ appname: 'A', servername: 'B', sFilename: 'big', sFormat: 'f', sSepar: 's'.repeat(1 << 20) }), Array.from({ length: 100_000 }, () => ''))
  await expect(call).rejects.toThrow(/big_f\.log cannot be written|wait to be written/)
  await log.logger('A', 'B', 'small', 'f', ['x\n'])
  // What is longer than any name is none.
  await log.logger('A', 'B', 'small', 'f', ['y\n'], { context: { node_name: 'n'.repeat(254) } })
  await log.logger('A', 'B', 'small', 'f', ['z\n'], { context: { node_name: 'n'.repeat(253) } })
  expect(await text('small')).toBe(`127.0.0.1|x\n127.0.0.1|y\n${'n'.repeat(253)}|z\n`)
})

test('many large requests at once, cut anywhere: each line is there once', async () => {
  const { port, text } = await serve('many')
  const requests = Array.from({ length: 24 }, (_, call) => {
    const body = new Writer()
    Log.functions['logger']?.writeArgs(body, ['A', 'B', 'many', 'f', Array.from({ length: 700 }, (_, index) => `${call}-${index}-${'.'.repeat(index % 200)}\n`)])
    return encodeRequest({ version: 1, requestId: call + 1, servant: 'tars.tarslog.LogObj', func: 'logger', body: body.bytes() })
  })
  const stream = Buffer.concat(requests)
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  onTestFinished(() => void socket.destroy())
  const answers: ResponsePacket[] = []
  const frames = new FrameReader(1 << 20)
  const all = new Promise<void>((resolve) => socket.on('data', (chunk: Buffer) => {
    frames.feed(chunk, (bytes, start, end) => void answers.push(decodeResponse(Buffer.from(bytes.subarray(start, end)))))
    if (answers.length === requests.length) resolve()
  }))
  await once(socket, 'connect')
  for (let at = 0, size = 1; at < stream.length; at += size, size = (size * 7 + 3) % 150_001) await new Promise<void>((resolve) => void socket.write(stream.subarray(at, at + size), () => resolve()))
  await all
  expect(answers.map(({ ret }) => ret)).toEqual(requests.map(() => 0))
  const lines = (await text('many')).trimEnd().split('\n')
  expect(new Set(lines).size).toBe(24 * 700)
  expect(lines).toHaveLength(24 * 700)
  for (let call = 0; call < 24; call++) expect(lines.filter((line) => line.startsWith(`127.0.0.1|${call}-`))).toEqual(Array.from({ length: 700 }, (_, index) => `127.0.0.1|${call}-${index}-${'.'.repeat(index % 200)}`))
})
