// Accounts of connections: servers and clients of ours opposite peers made of what nobody here wrote (the codec of Tars.js, openssl), which follow the
// steps of TarsCpp's AuthLogic.cpp; and every packet that must not be taken for one.
import stream from '@tars/stream'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { accountEnv, accountsEnv, type Account, type Accounts } from '#tars/auth.ts'
import { describe as describeError } from '#base/errors.ts'
import { Communicator } from '#tars/client.ts'
import { encodeRequest, encodeResponse, type RequestPacket } from '#tars/packet.ts'
import { createServer } from '#tars/server.ts'
import { fakeServer } from '../client/fake-server.ts'
import { Echo, echoServant, objectName, startEcho, type EchoProxy } from './echo.ts'
import { echoRequest, rawPeer, type RawPeer } from './raw-peer.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/* eslint-disable-next-line typescript/no-explicit-any -- its types describe neither of its streams */
const tars = stream as any
const openssl = (args: readonly string[], input: Buffer | string): Buffer => execFileSync('openssl', args, { input })
const hex = (algorithm: 'sha1' | 'md5', input: Buffer | string): string => openssl(['dgst', `-${algorithm}`, '-r'], input).toString().slice(0, algorithm === 'sha1' ? 40 : 32)
const now = (): number => Math.floor(Date.now() / 1000)

/** The key for a hash of a hash at a time, as hex: TarsCpp takes the first 24 characters of the MD5's text. */
function keyOf(secret2: string, seconds: number): string {
  const mixed = Buffer.from(secret2)
  let rest = BigInt(seconds)
  for (let index = 0; index < 8; index++, rest >>= 8n) mixed[index] = (mixed[index] ?? 0) | Number(rest & 255n)
  return Buffer.from(hex('md5', mixed).slice(0, 24)).toString('hex')
}

/** A BasicAuthPackage as TarsCpp makes it. */
function packageOf({ accessKey, secretKey }: Account, { object = objectName, seconds = now(), hash = '' } = {}): Buffer {
  const secret1 = hex('sha1', secretKey)
  const signature = openssl(['enc', '-des-ede3', '-K', keyOf(hex('sha1', secret1), seconds)], secret1)
  const out = new tars.TarsOutputStream()
  out.writeString(1, object)
  out.writeString(2, accessKey)
  out.writeInt64(3, seconds)
  if (hash !== '') out.writeString(4, hash)
  return Buffer.concat([out.getBinBuffer().toNodeBuffer(), Buffer.from([0x56, signature.length]), signature])
}

/** As TarsCpp sends it. */
const opening = (body: Buffer): Buffer => encodeRequest({ version: 1, requestId: 1, messageType: 0x40, servant: 'authServant', func: 'InnerAuthServer', body })

const bert: Account = { accessKey: 'bert', secretKey: '123456' }
const accounts: Accounts = { objects: new Set([objectName]), secretOf: (accessKey) => ({ bert: '123456', ernie: 'pa§§wörd', none: '' })[accessKey] }

async function closed(): Promise<{ readonly port: number; readonly peer: () => Promise<RawPeer> }> {
  const server = await startEcho({}, { accounts })
  cleanups.push(() => server.drain(200))
  return {
    port: server.port(),
    async peer() {
      const peer = await rawPeer(server.port())
      cleanups.push(() => peer.destroy())
      return peer
    },
  }
}

function caller(port: number, account: Account | undefined, endpoint = `tcp -h 127.0.0.1 -p ${port} -e 1`): EchoProxy {
  const communicator = new Communicator({ timeoutMs: 60_000, account: () => account })
  cleanups.push(() => communicator.close())
  return communicator.proxy<EchoProxy>(Echo, `${objectName}@${endpoint}`)
}
const why = (call: Promise<unknown>): Promise<string> => call.then(() => 'it does not', describeError)

test('the hash that TarsCpp names for the secret key 123456 is what these peers make of it', () => {
  expect(hex('sha1', hex('sha1', '123456'))).toBe('69c5fcebaa65b560eaf06c3fbeb481ae44b8d618')
})

describe('a server whose callers must have an account', () => {
  test.each([bert, { accessKey: 'ernie', secretKey: 'pa§§wörd' }])('admits $accessKey, and serves it then', async (account) => {
    const { peer } = await closed()
    const one = await peer()
    await one.write(opening(packageOf(account)))
    const [admitted] = await one.until(1)
    expect(admitted).toMatchObject({ version: 1, requestId: 1, ret: 0 })
    expect(admitted?.body.toString()).toBe('AUTH_SUCC')
    await one.write(Buffer.concat([echoRequest(2, 'text', ['x']), echoRequest(3, 'divide', [7, 2])]))
    expect((await one.until(3)).map(({ requestId, ret }) => [requestId, ret])).toEqual([[1, 0], [2, 0], [3, 0]])
  })

  test('an hour is the most that clocks may differ by', async () => {
    const { peer } = await closed()
    for (const seconds of [now() - 3590, now() + 3590]) {
      const one = await peer()
      await one.write(opening(packageOf(bert, { seconds })))
      expect(await one.until(1)).toHaveLength(1)
    }
  })

  const refused: readonly (readonly [what: string, packet: () => Buffer])[] = [
    ['a call', () => echoRequest(1, 'text', ['x'])],
    ['a ping', () => encodeRequest({ version: 1, requestId: 1, servant: objectName, func: 'tars_ping', body: Buffer.alloc(0) })],
    ['another secret key', () => opening(packageOf({ ...bert, secretKey: '123457' }))],
    ['the hash of the secret key', () => opening(packageOf({ ...bert, secretKey: hex('sha1', '123456') }))],
    ['another access key', () => opening(packageOf({ ...bert, accessKey: 'Bert' }))],
    ['an access key without a secret', () => opening(packageOf({ accessKey: 'none', secretKey: '' }))],
    ['an access key of every object', () => opening(packageOf({ accessKey: '__proto__', secretKey: '' }))],
    ['another object', () => opening(packageOf(bert, { object: 'Test.EchoServer.Other' }))],
    ['another hash', () => opening(packageOf(bert, { hash: 'md5' }))],
    ['the time of two hours ago', () => opening(packageOf(bert, { seconds: now() - 7200 }))],
    ['the time of two hours later', () => opening(packageOf(bert, { seconds: now() + 7200 }))],
    ['a signature of another time', () => opening(Buffer.concat([packageOf(bert).subarray(0, -48), packageOf(bert, { seconds: now() - 60 }).subarray(-48)]))],
    ['a signature that is cut', () => opening(Buffer.concat([packageOf(bert).subarray(0, -50), Buffer.from([0x56, 8]), packageOf(bert).subarray(-48, -40)]))],
    ['no signature', () => opening(packageOf(bert).subarray(0, -50))],
    ['nothing', () => opening(Buffer.alloc(0))],
    ['noise', () => opening(Buffer.alloc(100, 0xab))],
  ]
  test.each(refused)('closes the connection on %s, and does nothing else', async (_what, packet) => {
    const server = await startEcho({}, { accounts })
    cleanups.push(() => server.drain(200))
    const one = await rawPeer(server.port())
    await one.write(Buffer.concat([packet(), echoRequest(5, 'remember', ['x'])]))
    await one.closed
    expect(one.responses).toEqual([])
    expect(server.servant.remembered).toEqual([])
    // Others are served all the same.
    expect(await caller(server.port(), bert).text('still')).toBe('still')
  })

  test('says so by its endpoint, or by the names of its objects; and cannot be made without accounts, or over UDP', async () => {
    const servants = { [objectName]: { interface: Echo, servant: echoServant() } }
    const open: Accounts = { ...accounts, objects: new Set() }
    const server = createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0 -e 1', servants }, { endpoint: 'tcp -h 127.0.0.1 -p 0', servants }], accounts: open })
    await server.start()
    cleanups.push(() => server.drain(200))
    const [shut, free] = server.endpoints.map(({ port }) => `tcp -h 127.0.0.1 -p ${port}`)
    expect(await why(caller(0, bert, shut).text('x'))).toContain('ended before the answer came')
    expect(await caller(0, bert, `${shut} -e 1`).text('x')).toBe('x')
    expect(await caller(0, undefined, free).text('x')).toBe('x')
    expect(() => createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0 -e 1', servants }] })).toThrow('there are none')
    expect(() => createServer({ adapters: [{ endpoint: 'udp -h 127.0.0.1 -p 0', servants }], accounts })).toThrow('over connections only')
  })
})

describe('a client', () => {
  /** Checks as TarsCpp does: by decryption. */
  function admits({ body }: RequestPacket, secretKey: string): boolean {
    const r = new tars.TarsInputStream(new tars.BinBuffer(body))
    const [object, accessKey, seconds, hash] = [r.readString(1, true), r.readString(2, true), r.readInt64(3, true), r.readString(4, false, 'sha1')]
    const secret2 = hex('sha1', hex('sha1', secretKey))
    // Under another key nothing comes out that openssl would take for a text.
    const { status, stdout } = spawnSync('openssl', ['enc', '-d', '-des-ede3', '-K', keyOf(secret2, seconds)], { input: body.subarray(-48) })
    return object === objectName && accessKey === 'bert' && hash === 'sha1' && Math.abs(seconds - now()) < 60 && status === 0 && hex('sha1', stdout) === secret2
  }

  async function checking(secretKey: string) {
    const server = await fakeServer((request, socket) => {
      if (request.messageType !== 0x40) return void socket.write(encodeResponse({ version: 1, requestId: request.requestId, body: Buffer.from([0x06, 2, 0x6f, 0x6b]) }))
      if (admits(request, secretKey)) socket.write(encodeResponse({ version: 1, requestId: request.requestId, body: Buffer.from('AUTH_SUCC') }))
      else socket.destroy()
    })
    cleanups.push(() => server.close())
    return server
  }

  test('shows its account first, once a connection, and calls then', async () => {
    const server = await checking('123456')
    const proxy = caller(server.port, bert)
    expect(await Promise.all([proxy.text('a'), proxy.text('b')])).toEqual(['ok', 'ok'])
    expect(server.requests.map(({ servant, func, messageType }) => [servant, func, messageType])).toEqual([['authServant', 'InnerAuthServer', 0x40], [objectName, 'text', 0], [objectName, 'text', 0]])
  })

  test('sends no call where its account is not taken, where it has none, and where the answer is another one', async () => {
    const server = await checking('another')
    expect(await why(caller(server.port, bert).text('x'))).toContain('cannot connect')
    expect(server.requests.map(({ func }) => func)).toEqual(['InnerAuthServer'])
    const none = await checking('123456')
    expect(await why(caller(none.port, undefined).text('x'))).toContain(`there is none for ${objectName}`)
    expect(none.requests).toEqual([])
    const odd = await fakeServer(({ requestId }, socket) => void socket.write(encodeResponse({ version: 1, requestId, body: Buffer.from('AUTH_SUCC ') })))
    cleanups.push(() => odd.close())
    expect(await why(caller(odd.port, bert).text('x'))).toContain('does not take the account')
    expect(odd.requests).toHaveLength(1)
  })

  test('waits for a server that says nothing no longer than for a connection', async () => {
    const silent = await fakeServer(() => {})
    const communicator = new Communicator({ timeoutMs: 60_000, connectTimeoutMs: 100, account: () => bert })
    cleanups.push(() => silent.close(), () => communicator.close())
    expect(await why(communicator.proxy<EchoProxy>(Echo, `${objectName}@tcp -h 127.0.0.1 -p ${silent.port} -e 1`).text('x'))).toContain('cannot connect')
  })

  test('shows none where none is wanted', async () => {
    const server = await startEcho()
    cleanups.push(() => server.drain(200))
    expect(await caller(server.port(), bert, `tcp -h 127.0.0.1 -p ${server.port()}`).text('x')).toBe('x')
  })
})

test('accounts of a folder count within ten seconds, and as long as it is away; without one, none can be wanted', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-accounts-'))
  cleanups.push(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'bert'), '123456\n')
  let time = 0
  const read = accountsEnv({ TARS_AUTH: `${objectName}, A.B.C`, TARS_ACCOUNTS: folder }, () => time)
  expect([...(read?.objects ?? [])]).toEqual([objectName, 'A.B.C'])
  const secrets = () => ['bert', 'ernie', '..', ''].map((key) => read?.secretOf(key))
  expect(secrets()).toEqual(['123456', undefined, undefined, undefined])
  await writeFile(join(folder, 'ernie'), 'x')
  await rm(join(folder, 'bert'))
  time = 9_999
  expect(secrets()).toEqual(['123456', undefined, undefined, undefined])
  time = 10_000
  expect(secrets()).toEqual([undefined, 'x', undefined, undefined])
  await rm(folder, { recursive: true })
  time = 30_000
  expect(read?.secretOf('ernie')).toBe('x')
  expect(accountsEnv({})).toBeUndefined()
  expect(() => accountsEnv({ TARS_AUTH: objectName })).toThrow('TARS_ACCOUNTS is required')
  expect(() => accountsEnv({ TARS_AUTH: objectName, TARS_ACCOUNTS: folder })).toThrow('accounts cannot be read')
  expect(accountEnv({ TARS_ACCESS_KEY: 'a', TARS_SECRET_KEY: 'b' })).toEqual({ accessKey: 'a', secretKey: 'b' })
  expect(accountEnv({})).toBeUndefined()
})
