// Builds that begin with a package that is still on its way: nobody sees anything of them but that they end sooner.
import { createHash, randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { request, type ClientRequest } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TImage } from '#api/types.ts'
import { Arriving } from '../../imagebuilder/package/arrival.ts'
import { FairQueue } from '../../imagebuilder/service/fair-queue.ts'
import { namespace } from '../registry/cluster.ts'
import { runCrane } from './rig/image.ts'
import { packageKinds, packageOf, type PackageKind } from './rig/packages.ts'
import { serviceBench, type ServiceBench } from './rig/service.ts'

let bench: ServiceBench
beforeAll(async () => {
  bench = await serviceBench({ TARSIMAGE_BUILDS: '1', TARSIMAGE_SILENCE: '30' }, { kind: 'docker-registry' })
})
afterAll(() => bench.stop())

let number = 0
/** A server of its own for each test. */
const app = 'Early'
let [server, timage, repository] = ['', '', '']
beforeEach(async () => {
  server = `S${++number}`
  timage = `early-s${number}`
  repository = `tars/early.s${number}`
  await bench.timage(timage)
})

/** The first part of a package gives the registry something to take. */
const first = 3_000_000
const packages = new Map(packageKinds.map((kind) => [kind, packageOf(kind, randomBytes(4_000_000))]))
const packageFor = (kind: PackageKind): { serverType: string; file: Buffer } => packages.get(kind) ?? { serverType: '', file: Buffer.alloc(0) }

/** A building call of which the test decides when the rest is sent. */
class SlowCall {
  readonly #request: ClientRequest
  readonly #rest: Buffer
  readonly answer: Promise<{ status: number; message: string }>

  /** @param behind fields that stand behind the file */
  constructor(kind: PackageKind, fields: Readonly<Record<string, string>> = {}, behind: Readonly<Record<string, string>> = {}) {
    const { serverType, file } = packageFor(kind)
    const boundary = 'b0undary'
    const part = ([name, value]: readonly [string, string]): string => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
    const before = { ServerApp: app, ServerName: server, ServerType: serverType, ServerTag: 'v1', BaseImage: bench.base, ...fields }
    const head = Buffer.concat([Buffer.from(`${Object.entries(before).map(part).join('')}--${boundary}\r\nContent-Disposition: form-data; name="ServerFile"; filename="x.${kind}"\r\n\r\n`), file.subarray(0, first)])
    this.#rest = Buffer.concat([file.subarray(first), Buffer.from(`\r\n${Object.entries(behind).map(part).join('')}--${boundary}--\r\n`)])
    this.#request = request(`${bench.service.url}/api/v1beta3/timage/${timage}/building?wait=true`, { method: 'POST', headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': head.length + this.#rest.length } })
    this.answer = new Promise((resolve, reject) => {
      this.#request.on('error', reject)
      this.#request.on('response', (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (piece: Buffer) => parts.push(piece))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, message: (JSON.parse(Buffer.concat(parts).toString()) as { message: string }).message }))
      })
    })
    this.answer.catch(() => {})
    this.#request.write(head)
  }

  sendRest(): void {
    this.#request.end(this.#rest)
  }

  cut(): void {
    this.#request.destroy()
  }
}

const recordsOf = (pattern: RegExp): ServiceBench['faulty']['requests'] => bench.faulty.requests.filter(({ line }) => line.includes(`/${repository}/`) && pattern.test(line))
const requests = (pattern: RegExp): string[] => recordsOf(pattern).map(({ line }) => line)
/** Bytes of the package are at the registry. */
const begun = (): Promise<void> => expect.poll(() => requests(/^PATCH/).length).toBeGreaterThan(0)
const unfinished = async (): Promise<string[]> => (await readdir(bench.bench.path(`registry/docker/registry/v2/repositories/${repository}/_uploads`), { recursive: true }).catch(() => [])).filter((path) => path.endsWith('/data'))
const spooled = (): Promise<string[]> => readdir(bench.bench.path('workspace/upload/tars-tarsimage-0'))
const imageDigest = async (tag = 'v1'): Promise<string> => (await runCrane('digest', `${bench.registry}/${repository}:${tag}`)).trim()

describe('a package that is on its way', () => {
  test.each(['tgz', 'tar', 'tar.zst'] as const)('goes to the registry as it comes (%s), and its TImage says nothing before all is there', async (kind) => {
    const call = new SlowCall(kind)
    await begun()
    expect((await bench.read(timage)).build).toBeUndefined()
    call.sendRest()
    expect(await call.answer).toEqual({ status: 200, message: 'OK' })
    // The package's layer once, the supervisor's, and the configuration.
    expect(requests(/^POST .*\/blobs\/uploads\/$/)).toHaveLength(3)
    const { build, releases } = await bench.read(timage)
    expect([build?.running, build?.last?.phase, releases?.length]).toEqual([undefined, 'Done', 1])
    expect(await runCrane('validate', '--remote', `${bench.registry}/${repository}:v1`)).toMatch(/^PASS/)
    const early = await imageDigest()
    // The same, of a package that is there before its build begins: fields stand behind the file.
    const { serverType, file } = packageFor(kind)
    const late = new SlowCall(kind, {}, { ServerTag: 'late', Mark: 'changed' })
    late.sendRest()
    expect([(await late.answer).message, await imageDigest('late'), file.length > first, serverType]).toEqual(['OK', early, true, 'cpp'])
    await expect.poll(spooled).toEqual([])
  })

  test('a sender that pauses: the registry is not kept waiting for the rest', async () => {
    const call = new SlowCall('tgz')
    await begun()
    await expect.poll(() => recordsOf(/^PATCH/).map(({ whole }) => whole)).toEqual([true])
    call.sendRest()
    expect((await call.answer).message).toBe('OK')
    expect(recordsOf(/^PUT .*\/blobs\//).every(({ bytes }) => bytes > 0)).toBe(true)
    expect(await runCrane('validate', '--remote', `${bench.registry}/${repository}:v1`)).toMatch(/^PASS/)
  })

  test('is entered as what it is by then, an image in the making', async () => {
    const phases: (string | undefined)[] = []
    const abort = new AbortController()
    const opened = Promise.withResolvers<void>()
    const watched = (async () => {
      for await (const { object } of bench.cluster.client.watch<TImage>(resources.timages, { namespace, fieldSelector: `metadata.name=${timage}`, signal: abort.signal, onOpen: opened.resolve })) {
        const { running, last } = (object as TImage).build ?? {}
        phases.push((running ?? last)?.phase)
        if (last !== undefined) return
      }
    })()
    await opened.promise
    const call = new SlowCall('tgz')
    await begun()
    call.sendRest()
    expect((await call.answer).message).toBe('OK')
    await watched
    abort.abort()
    // First as it was made; that it is pushed is said of one that takes long.
    expect(phases.filter((phase) => phase !== 'Pushing')).toEqual([undefined, 'Building', 'Done'])
  })

  test.each(['zip', 'jar', 'war'] as const)('%s: waits for the end, where the directory is', async (kind) => {
    const call = new SlowCall(kind)
    call.sendRest()
    expect(await call.answer).toEqual({ status: 200, message: 'OK' })
    expect(await runCrane('validate', '--remote', `${bench.registry}/${repository}:v1`)).toMatch(/^PASS/)
  })

  test('and is cut off: no build, nothing at the registry, nothing on disk', async () => {
    const call = new SlowCall('tgz')
    await begun()
    await expect.poll(unfinished).not.toEqual([])
    call.cut()
    await expect.poll(unfinished).toEqual([])
    await expect.poll(spooled).toEqual([])
    const { build, releases } = await bench.read(timage)
    expect([build, releases ?? []]).toEqual([undefined, []])
    expect(requests(/^PUT .*\/manifests\//)).toEqual([])
  })

  test('the last word of a form counts: fields behind the file that change it', async () => {
    const call = new SlowCall('tgz', { ServerTag: 'first' }, { ServerTag: 'second' })
    await begun()
    call.sendRest()
    expect((await call.answer).message).toBe('OK')
    expect((await bench.read(timage)).releases?.map(({ image }) => image)).toEqual([`${bench.faulty.address}/${repository}:second`])
    expect(requests(/^PUT .*\/manifests\//)).toEqual([expect.stringMatching(/\/manifests\/second$/)])
    await expect.poll(unfinished).toEqual([])
  })

  test('what is refused at the end leaves nothing: another build of the server is running', async () => {
    const call = new SlowCall('tgz')
    await begun()
    await bench.cluster.client.patch(resources.timages, { namespace, name: timage }, { build: { running: { id: 'other', image: 'a/b:c', createTime: new Date().toISOString(), createPerson: '', mark: '', phase: 'Building', message: '', handler: 'other', serverType: 'cpp', baseImage: 'a/b:c', secret: '', baseImageSecret: '' } } })
    call.sendRest()
    expect(await call.answer).toEqual({ status: 500, message: expect.stringContaining('another task is running') })
    expect(requests(/^PUT .*\/manifests\//)).toEqual([])
    await expect.poll(async () => [await unfinished(), await spooled()]).toEqual([[], []])
  })

  test('a package that is bad is refused by its name at the sender, and the TImage says why', async () => {
    const { file } = packageFor('tgz')
    const sound = Buffer.from(file)
    const sum = createHash('sha256').update(file).digest('hex')
    file.fill(0xff, first - 500_000, first - 400_000)
    try {
      const call = new SlowCall('tgz')
      call.sendRest()
      expect(await call.answer).toEqual({ status: 500, message: expect.stringMatching(/^package x\.tgz is damaged or cut short/) })
      expect((await bench.read(timage)).build?.last).toMatchObject({ phase: 'Failed', message: expect.stringMatching(/^package x\.tgz is damaged/) })
      await expect.poll(unfinished).toEqual([])
    } finally {
      sound.copy(file)
    }
    expect(createHash('sha256').update(file).digest('hex')).toBe(sum)
  })

  test('a slow sender is in nobody\'s way: others are built meanwhile, and then it', async () => {
    const call = new SlowCall('tgz')
    await begun()
    await bench.timage(`other-${timage}`)
    const { serverType, file } = packageFor('tar')
    const answer = await bench.build(`other-${timage}`, { ServerApp: 'Other', ServerName: timage, ServerType: serverType }, file)
    expect(answer.status).toBe(200)
    await expect.poll(unfinished).toEqual([])
    call.sendRest()
    expect((await call.answer).message).toBe('OK')
    expect(await runCrane('validate', '--remote', `${bench.registry}/${repository}:v1`)).toMatch(/^PASS/)
  })
})

describe('Arriving', () => {
  test('tells whether there are more bytes, at once or when they come', async () => {
    const arrival = new Arriving(100)
    arrival.add(10)
    expect(await arrival.more(9)).toBe(true)
    const [more, none] = [arrival.more(10), arrival.more(11)]
    arrival.add(1)
    expect(await more).toBe(true)
    arrival.complete()
    expect(await none).toBe(false)
    expect(await arrival.more(Infinity)).toBe(false)
  })

  test('an end that does not come, and one that nobody waits for any more', async () => {
    const arrival = new Arriving(100)
    const stop = new AbortController()
    const [waiting, stopped] = [arrival.more(0), arrival.more(0, stop.signal)]
    stop.abort(new Error('enough'))
    await expect(stopped).rejects.toThrow('enough')
    arrival.fail(new Error('cut'))
    await expect(waiting).rejects.toThrow('cut')
    await expect(arrival.more(0)).rejects.toThrow('cut')
  })
})

describe('a place that is lent', () => {
  const signal = new AbortController().signal

  test('is lent only when nothing runs, and becomes the task\'s', async () => {
    const queue = new FairQueue(1, 1)
    const loan = queue.lend('a', () => {})
    expect(loan).toBeDefined()
    expect(queue.lend('b', () => {})).toBeUndefined()
    const gate = Promise.withResolvers<void>()
    const running = queue.run('a', () => gate.promise, signal, undefined, loan)
    loan?.end()
    let waits = false
    const next = queue.run('b', async () => 'done', signal, () => (waits = true))
    expect(waits).toBe(true)
    gate.resolve()
    await running
    expect(await next).toBe('done')
  })

  test('goes to who waits when it is given back', async () => {
    const queue = new FairQueue(1, 1)
    let recalled = 0
    const loan = queue.lend('a', () => recalled++)
    const next = queue.run('b', async () => 'done', signal)
    expect(recalled).toBe(1)
    loan?.end()
    loan?.end()
    expect(await next).toBe('done')
    expect(queue.lend('a', () => {})).toBeDefined()
  })
})
