// Charts as users have them: packed by the command, and handled by real Helm.
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { parseAllDocuments } from 'yaml'
import type { CommandIo } from '#base/command-io.ts'
import { jobs } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { run as charts } from '../../framework/charts/charts-command.ts'
import type { ChartName } from '../../framework/charts/charts.ts'
import type { TestCluster } from '../rig/kube.ts'
import { run, type Output } from '../rig/local-cluster.ts'
import { goTool } from '../rig/tools.ts'

/** Milliseconds for building Helm, once a machine. */
export const HELM_BUILD_MS = 600_000

export const helmProgram = (): Promise<string> => goTool('helm.sh/helm/v3/cmd/helm', 'v3.22.0')

/** A run of a command of ours. */
export async function command(body: (args: readonly string[], io: CommandIo) => Promise<number>, args: readonly string[], io: Partial<CommandIo> = {}): Promise<Output> {
  const [out, err] = [new PassThrough(), new PassThrough()]
  const texts = Promise.all([text(out), text(err)])
  const code = await body(args, { out, err, env: {}, signal: new AbortController().signal, cwd: '/', ...io })
  out.end()
  err.end()
  const [said, told] = await texts
  return { code, out: said, err: told }
}

/** Packs both charts into a folder. @returns their files */
export async function packCharts(folder: string, version: string, ...more: readonly string[]): Promise<Readonly<Record<ChartName, string>>> {
  const { code, out, err } = await command(charts, ['package', '--version', version, '--out', folder, ...more], { env: { SOURCE_DATE_EPOCH: '1700000000' } })
  if (code !== 0) throw new Error(err)
  const [tarscontroller = '', tarsframework = ''] = out.trimEnd().split('\n')
  return { tarscontroller, tarsframework }
}

/** Runs Helm; its own files are kept in a folder. */
export async function helm(folder: string, ...args: readonly string[]): Promise<Output> {
  return run(await helmProgram(), args, { env: { PATH: process.env['PATH'], HOME: folder, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder } })
}

/** What a chart makes of values (`strings`: those that look like numbers and are texts), Helm's hooks included. @throws what Helm says */
export async function rendered(folder: string, chart: string, values: readonly string[], { namespace = 'prod', release = 'tars', kubeVersion = '1.30.0', strings = [] as readonly string[] } = {}): Promise<AnyObject[]> {
  const { code, out, err } = await helm(folder, 'template', release, chart, '-n', namespace, '--kube-version', kubeVersion, ...values.flatMap((value) => ['--set', value]), ...strings.flatMap((value) => ['--set-string', value]))
  if (code !== 0) throw new Error(err)
  return parseAllDocuments(out).map((document) => document.toJS() as AnyObject | null).filter((object) => object !== null)
}

/** The object of a kind and name. */
export function named(objects: readonly AnyObject[], kind: string, name: string): AnyObject {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name)
  if (found === undefined) throw new Error(`there is no ${kind} ${name} among ${objects.map((object) => `${object.kind} ${object.metadata.name}`).join(', ')}`)
  return found
}

const main = join(import.meta.dirname, '../../framework/main.ts')

/** Does what Jobs ask for, in the place of the Job controller and a kubelet: their command runs from the sources. */
export function runJobs({ client, kubeconfigPath }: TestCluster): { stop(): Promise<void> } {
  const stopping = new AbortController()
  const watching = (async () => {
    for await (const { type, object } of client.watch(jobs, { signal: stopping.signal })) {
      if (type !== 'ADDED' || object['status']?.conditions !== undefined) continue
      const [container] = object['spec'].template.spec.containers as { args: string[]; env: { name: string; value?: string }[] }[]
      const env = Object.fromEntries(container?.env.map(({ name, value = '' }) => [name, value]) ?? [])
      const { code, err } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...(container?.args ?? [])], { env: { ...env, KUBECONFIG: kubeconfigPath } })
      const now = new Date().toISOString()
      const conditions = (code === 0 ? ['SuccessCriteriaMet', 'Complete'] : ['FailureTarget', 'Failed']).map((kind) => ({ type: kind, status: 'True', reason: 'Ended', message: err.slice(-500), lastTransitionTime: now, lastProbeTime: now }))
      const { namespace, name } = object.metadata
      await client.patch(jobs, { namespace, name }, { status: { conditions, startTime: now, ...(code === 0 ? { completionTime: now, succeeded: 1 } : { failed: 1 }) } }, { subresource: 'status' })
    }
  })().catch((error: unknown) => {
    if (!stopping.signal.aborted) throw error
  })
  return { stop: async () => (stopping.abort(), watching) }
}
