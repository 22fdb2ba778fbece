// Every harm that a registry can do, in every phase of a build, with every kind of package: the TImage ends as Done with an
// image that validates, or as Failed with a reason; and nothing is left behind.
import { randomBytes } from 'node:crypto'
import { readdir, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { completeFramework } from '#api/default.ts'
import { names } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TImage } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { composeImage } from '../../imagebuilder/compose.ts'
import { imageEnv } from '../../imagebuilder/env.ts'
import { layerFromFiles } from '../../imagebuilder/layer.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { startImageService, type ImageService } from '../../imagebuilder/service/service.ts'
import { namespace, startCluster, type TestCluster } from '../registry/cluster.ts'
import { faultyRegistry, harms, phases, type FaultyRegistry, type Harm, type Phase } from '../rig/faulty-registry.ts'
import { distributionRegistry, type ForeignRegistry } from '../rig/registry.ts'
import { platform, runCrane, workbench, type Workbench } from './rig/image.ts'
import { packageKinds, packageOf, type PackageKind } from './rig/packages.ts'

const apiVersion = 'k8s.tars.io/v1beta3'
/** Builds under way at a time. */
const AT_ONCE = 16
/** How long a registry may be silent, seconds. */
const SILENCE_S = 1

const content = randomBytes(100_000)

let cluster: TestCluster
let bench: Workbench
let registry: ForeignRegistry
let faulty: FaultyRegistry
let service: ImageService
let layer: Awaited<ReturnType<typeof layerFromFiles>>

beforeAll(async () => {
  ;[cluster, bench] = await Promise.all([startCluster(), workbench()])
  registry = await distributionRegistry(bench.path('registry'))
  faulty = await faultyRegistry(registry.address)
  layer = await layerFromFiles([{ path: '/etc/os-release', content: 'NAME=test' }], bench.path('layer.tar.gz'))
  await writeFile(bench.path('supervisor.json'), JSON.stringify(bench.supervisor))
  await cluster.client.create(resources.tframeworkconfigs, completeFramework({ name: names.framework, namespace }, { imageBuild: { maxBuildTime: 300 }, imageUpload: { registry: `${faulty.address}/tars`, secret: '' }, recordLimit: { timageRelease: 10, texitedPod: 10, tconfigHistory: 10 } }))
  service = await startImageService(imageEnv({ Namespace: namespace, PodName: 'tars-tarsimage-0', PodIP: '127.0.0.1', TARSIMAGE_PORT: '0', TARSIMAGE_WORKSPACE: bench.path('workspace'), TARSIMAGE_SUPERVISOR: bench.path('supervisor.json'), TARSIMAGE_BUILDS: String(AT_ONCE), TARSIMAGE_SILENCE: String(SILENCE_S) }), cluster.client, silentLogger)
}, 120_000)

afterAll(async () => {
  await service.stop()
  await faulty.stop()
  await registry.stop()
  await cluster.stop()
  await bench.clean()
})

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

/** The base image in a repository of the case's own, so that harm to it is harm to this case only. */
async function prepare({ number }: Case): Promise<string> {
  await composeImage({ layers: [layer], destination: parseLocation(`${registry.address}/base/b${number}:1`), platform })
  await cluster.client.create(resources.timages, { apiVersion, kind: 'TImage', metadata: { name: `demo-s${number}`, namespace }, imageType: 'server' })
  return `${faulty.address}/base/b${number}:1`
}
async function go(one: Case): Promise<Outcome> {
  const { number, kind, phase, harm, times } = one
  const BaseImage = await prepare(one)
  const { serverType: ServerType, file } = packageOf(kind, content)
  const plan = faulty.plan(phase.startsWith('read') ? `base/b${number}` : `tars/demo.s${number}`, phase, harm, times)
  const form = new FormData()
  for (const [name, value] of Object.entries({ ServerApp: 'Demo', ServerName: `S${number}`, ServerType, ServerTag: 'v1', Secret: '', BaseImage, CreatePerson: 'me', Mark: '' })) form.set(name, value)
  form.set('ServerFile', new Blob([new Uint8Array(file)]), `S${number}.${kind}`)
  const answer = await fetch(`${service.url}/api/v1beta3/timage/demo-s${number}/building?wait=true`, { method: 'POST', body: form })
  const { message } = (await answer.json()) as { message: string }
  plan.lift()
  return { ...one, harmed: plan.harmed(), image: await cluster.client.get<TImage>(resources.timages, { namespace, name: `demo-s${number}` }), answer: { status: answer.status, message } }
}

/** All cases, some at a time. */
async function all(cases: readonly Case[]): Promise<Outcome[]> {
  const [left, outcomes] = [[...cases], [] as Outcome[]]
  const worker = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) outcomes.push(await go(one))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return outcomes
}

const published = async ({ number }: Case): Promise<boolean> => (await fetch(`http://${registry.address}/v2/tars/demo.s${number}/manifests/v1`)).status === 200

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
  expect(await runCrane('validate', '--remote', `${registry.address}/tars/demo.s${number}:v1`), told(outcome)).toMatch(/^PASS/)
}

const reasons: Readonly<Record<Harm, RegExp>> = {
  cut: /was cut while .*\(.+\)/,
  '500': /answered HTTP 500 while/,
  // A HEAD is answered without words.
  '401': /refused the credentials while .*HTTP 401/,
  slow: new RegExp(`silent for ${SILENCE_S} s while`),
}

describe('a registry that does harm', () => {
  test('once: what is temporary is repaired', { timeout: 300_000 }, async () => {
    for (const outcome of await all(casesOf(['cut', '500'], [1]))) await done(outcome)
  })

  test('for ever: the build fails with the reason, and there is no release', { timeout: 300_000 }, async () => {
    for (const outcome of await all(casesOf(['cut', '500', '401'], [Infinity]))) await failed(outcome, reasons[outcome.harm])
  })

  test('by never answering: it is waited for so long and no longer', { timeout: 300_000 }, async () => {
    for (const outcome of await all(casesOf(['slow'], [Infinity]))) await failed(outcome, reasons.slow)
  })

  test('every harm was done', () => {
    expect(harms).toHaveLength(4)
    expect(count).toBe(packageKinds.length * phases.length * 6)
  })

  test('leaves nothing behind: no upload at the builder, and no unfinished one at the registry', async () => {
    expect(await readdir(bench.path('workspace/upload/tars-tarsimage-0'))).toEqual([])
    const repositories = bench.path('registry/docker/registry/v2/repositories/tars')
    // distribution keeps empty folders of uploads that ended; one that did not has its bytes.
    const unfinished = await Promise.all(every.map(async (one) => ((await readdir(`${repositories}/demo.s${one.number}/_uploads`, { recursive: true }).catch(() => [])).some((path) => path.endsWith('/data')) ? [told(one)] : [])))
    expect(unfinished.flat()).toEqual([])
  })
})
