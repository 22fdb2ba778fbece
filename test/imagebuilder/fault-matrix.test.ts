// Every harm that a registry can do, in every phase of a build, with every kind of package: the TImage ends as Done with an
// image that validates, or as Failed with a reason; and nothing is left behind.
import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { TImage } from '#api/types.ts'
import { composeImage } from '../../imagebuilder/compose.ts'
import { layerFromFiles } from '../../imagebuilder/layer.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import type { ImageService } from '../../imagebuilder/service/service.ts'
import { harms, phases, type Harm, type Phase } from '../rig/faulty-registry.ts'
import { platform, runCrane } from './rig/image.ts'
import { packageKinds, packageOf, type PackageKind } from './rig/packages.ts'
import { serviceBench, type ServiceBench } from './rig/service.ts'

/** Builds under way at a time. */
const AT_ONCE = 16
/** How long a registry may be silent that never answers, seconds. Elsewhere it is longer than any machine keeps an answer, for nobody can give up an upload whose beginning was not heard. */
const SILENCE_S = 3

const content = randomBytes(100_000)
/** More than goes to the registry in one request: there is a chunk before the one that ends the upload. */
const long = randomBytes(1_500_000)

let bench: ServiceBench
let layer: Awaited<ReturnType<typeof layerFromFiles>>

beforeAll(async () => {
  bench = await serviceBench({ TARSIMAGE_BUILDS: String(AT_ONCE), TARSIMAGE_SILENCE: '120' }, { kind: 'docker-registry' })
  layer = await layerFromFiles([{ path: '/etc/os-release', content: 'NAME=test' }], bench.bench.path('layer.tar.gz'))
})
afterAll(() => bench.stop())

interface Case {
  readonly number: number
  readonly kind: PackageKind
  readonly phase: Phase
  readonly harm: Harm
  readonly times: number
}

interface Outcome extends Case {
  readonly harmed: number
  readonly image: TImage
  /** What the caller was told. */
  readonly answer: { readonly status: number; readonly message: string }
}

let count = 0
const every: Case[] = []
const casesOf = (some: readonly Harm[], times: readonly number[]): Case[] => {
  const cases = packageKinds.flatMap((kind) => phases.flatMap((phase) => some.flatMap((harm) => times.map((often) => ({ number: ++count, kind, phase, harm, times: often })))))
  every.push(...cases)
  return cases
}

const told = ({ kind, phase, harm, times }: Case): string => `${harm} × ${times} in phase "${phase}" of a ${kind}`

/** A base image of the case's own, in a repository of its own, so that harm to it is harm to this case only. */
async function prepare({ number }: Case): Promise<string> {
  await composeImage({ layers: [layer], config: { Labels: { case: String(number) } }, destination: parseLocation(`${bench.registry}/base/b${number}:1`), platform })
  await bench.timage(`demo-s${number}`)
  return `${bench.faulty.address}/base/b${number}:1`
}

async function go(one: Case, by?: ImageService): Promise<Outcome> {
  const { number, kind, phase, harm, times } = one
  const BaseImage = await prepare(one)
  const { serverType, file } = packageOf(kind, phase === 'chunk' ? long : content)
  const plan = bench.faulty.plan(phase.startsWith('read') ? `base/b${number}` : `tars/demo.s${number}`, phase, harm, times)
  const answer = await bench.build(`demo-s${number}`, { ServerApp: 'Demo', ServerName: `S${number}`, ServerType: serverType, BaseImage }, file, 'wait=true', by)
  const { message } = (await answer.json()) as { message: string }
  plan.lift()
  return { ...one, harmed: plan.harmed(), image: await bench.read(`demo-s${number}`), answer: { status: answer.status, message } }
}

/** All cases, so many at a time. */
async function all(cases: readonly Case[], atOnce = AT_ONCE, by?: ImageService): Promise<Outcome[]> {
  const [left, outcomes] = [[...cases], [] as Outcome[]]
  const worker = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) outcomes.push(await go(one, by))
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return outcomes
}

const published = async ({ number }: Case): Promise<boolean> => (await fetch(`http://${bench.registry}/v2/tars/demo.s${number}/manifests/v1`)).status === 200

async function failed(outcome: Outcome, reason: RegExp): Promise<void> {
  const { image, answer, harmed } = outcome
  expect(harmed, `${told(outcome)} harmed nothing`).toBeGreaterThan(0)
  expect(image.build?.running, told(outcome)).toBeUndefined()
  expect(image.build?.last, told(outcome)).toMatchObject({ phase: 'Failed', message: expect.stringMatching(reason) })
  expect(image.releases ?? [], told(outcome)).toEqual([])
  expect(answer, told(outcome)).toEqual({ status: 500, message: image.build?.last?.message })
  expect(await published(outcome), told(outcome)).toBe(false)
}

async function done(outcome: Outcome): Promise<void> {
  const { image, answer, harmed, number } = outcome
  expect(harmed, `${told(outcome)} harmed nothing`).toBe(1)
  expect(answer.message, told(outcome)).toBe('OK')
  expect(image.build?.last?.phase, told(outcome)).toBe('Done')
  expect(image.releases, told(outcome)).toHaveLength(1)
  expect(await runCrane('validate', '--remote', `${bench.registry}/tars/demo.s${number}:v1`), told(outcome)).toMatch(/^PASS/)
}

const reasons: Readonly<Record<Harm, RegExp>> = {
  cut: /was cut while .*\(.+\)/,
  '500': /answered HTTP 500 while/,
  // A HEAD is answered without words.
  '401': /refused the credentials while .*HTTP 401/,
  slow: new RegExp(`silent for ${SILENCE_S} s while`),
}

describe('a registry that does harm', () => {
  test('once: what is temporary is repaired', async () => {
    for (const outcome of await all(casesOf(['cut', '500'], [1]))) await done(outcome)
  })

  test('for ever: the build fails with the reason, and there is no release', async () => {
    for (const outcome of await all(casesOf(['cut', '500', '401'], [Infinity]))) await failed(outcome, reasons[outcome.harm])
  })

  test('by never answering: it is waited for so long and no longer', async () => {
    const cases = casesOf(['slow'], [Infinity])
    // Nearly all that they do is to wait: they do it together.
    const impatient = await bench.start({ PodName: 'tars-tarsimage-1', TARSIMAGE_SILENCE: String(SILENCE_S), TARSIMAGE_BUILDS: String(cases.length) })
    onTestFinished(() => impatient.stop())
    for (const outcome of await all(cases, cases.length, impatient)) await failed(outcome, reasons.slow)
  })

  test('every harm was done', () => {
    expect(harms).toHaveLength(4)
    expect(count).toBe(packageKinds.length * phases.length * 6)
  })

  test('leaves nothing behind: no upload at the builder, and no unfinished one at the registry', async () => {
    expect((await readdir(bench.bench.path('workspace/upload'), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())).toEqual([])
    const repositories = bench.bench.path('registry/docker/registry/v2/repositories/tars')
    // distribution keeps empty folders of uploads that ended; one that did not has its bytes.
    const unfinished = await Promise.all(every.map(async (one) => ((await readdir(`${repositories}/demo.s${one.number}/_uploads`, { recursive: true }).catch(() => [])).some((path) => path.endsWith('/data')) ? [told(one)] : [])))
    expect(unfinished.flat()).toEqual([])
  })
})
