// What `npm start` does beside running the cluster: releases and deploys the two sample services, as their owner would.
import { Writable } from 'node:stream'
import { Failure } from '#base/errors.ts'
import { resources } from '#api/resources.ts'
import { serverObjectName } from '#api/names.ts'
import type { TServer } from '#api/types.ts'
import { isNotFound } from '#kube/errors.ts'
import type { Resource } from '#kube/types.ts'
import { run as call } from '../../cli/call.ts'
import { run as deploy } from '../../cli/deploy.ts'
import { run as release } from '../../cli/release.ts'
import { run as status } from '../../cli/status.ts'
import type { Cluster } from '../cluster.ts'
import { namespace } from '../cluster.ts'
import type { Steps } from '../steps.ts'
import { helloIdl, packSamples, type SamplePackage } from './pack.ts'

export interface SampleOptions {
  readonly steps: Steps
  /** Receives whole lines for the terminal. */
  readonly write: (line: string) => void
  readonly signal: AbortSignal
}

type Command = typeof call

const servers = ['HelloServer', 'NativeServer'] as const
const app = 'Demo'

/** Releases and deploys what is not there yet, and waits until both services are active. */
export async function deploySamples(cluster: Cluster, { steps, signal }: SampleOptions): Promise<void> {
  const deployed = await Promise.all(servers.map((server) => currentRelease(cluster, server)))
  const packages = deployed.every((id) => id !== undefined) ? [] : await steps.run('sample packages', () => packSamples({ cacheDir: cluster.cacheDir, signal }))
  for (const [index, server] of servers.entries()) {
    const sample = packages[index]
    if (deployed[index] === undefined && sample !== undefined) {
      const id = await steps.run(`release ${app}.${server}`, () => releaseOne(cluster, sample, signal))
      await steps.run(`deploy ${app}.${server}`, () => cli(cluster, deploy, ['--app', app, '--server', server, '--release', id, '--servant', `HelloObj:${sample.port}`, '--template', sample.type === 'nodejs' ? 'tars.nodejs' : 'tars.default'], signal))
    } else await steps.run(`active again ${app}.${server}`, () => cli(cluster, deploy, ['--app', app, '--server', server], signal))
  }
}

/** Calls both services, each directly and through the other, and prints the table and the answers. @returns how many failed */
export async function checkSamples(cluster: Cluster, { steps, write, signal }: SampleOptions): Promise<number> {
  write(await cli(cluster, status, [], signal))
  const [hello, native] = servers.map((server) => `${app}.${server}.HelloObj`) as [string, string]
  const calls = [[hello, 'greet', '"npm start"'], [native, 'greet', '"npm start"'], [hello, 'relay', native, '"a friend"'], [native, 'relay', hello, '"a friend"']]
  let failed = 0
  for (const [object = '', name = '', ...given] of calls) {
    try {
      const answer = await steps.run(`call ${object} ${name}`, () => cli(cluster, call, [object, name, ...given, '--tars', helloIdl], signal))
      const { return: code, greeting } = JSON.parse(answer) as { return: number; greeting: { text: string; server: string } }
      write(`            ${greeting.server}: ${greeting.text}\n`)
      if (code !== 0) failed++
    } catch (error) {
      failed++
      write(`            ${error instanceof Error ? error.message : String(error)}\n`)
    }
  }
  return failed
}

async function currentRelease(cluster: Cluster, server: string): Promise<string | undefined> {
  try {
    const found = await cluster.client.get(resources.tservers as unknown as Resource, { namespace, name: serverObjectName(app, server) })
    return (found as unknown as TServer).spec.release?.id
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function releaseOne(cluster: Cluster, sample: SamplePackage, signal: AbortSignal): Promise<string> {
  const text = await cli(cluster, release, [sample.file, '--app', sample.app, '--server', sample.server, '--type', sample.type, '--json'], signal)
  return (JSON.parse(text) as { id: string }).id
}

/** Runs one of the operator's commands against this cluster. @returns what it printed @throws Failure with what it complained about */
async function cli(cluster: Cluster, command: Command, args: readonly string[], signal: AbortSignal): Promise<string> {
  const out = collector()
  const err = collector()
  const code = await command([...args, '--data', cluster.paths.root], { out: out.stream, err: err.stream, env: {}, signal, cwd: process.cwd() })
  signal.throwIfAborted()
  if (code !== 0) throw new Failure('SAMPLE_FAILED', err.text().trim())
  return out.text()
}

function collector(): { readonly stream: Writable; text(): string } {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString() }
}
