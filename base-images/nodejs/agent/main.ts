// node-agent: runs a Node Tars service as cluster workers, answers tarsnode's AdminObj calls and sends its heartbeats.
// It stands where K8SFramework images have @tars/node-agent (node-and-image.md A.4, A.8) and takes the same arguments.
import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe } from '#base/errors.ts'
import { createLogger } from '#base/log.ts'
import { createAdmin } from './admin.ts'
import { findEntry } from './entry.ts'
import { Reporter } from './report.ts'
import { readSettings, type Settings } from './settings.ts'
import { runWorker } from './worker.ts'
import { beatsMissed, beatVariable, Workers } from './workers.ts'

/** A service that runs but never opens a shared port counts as started after this time. */
const silentStartMs = 10_000
/** Distinct from a service's own codes: the agent itself could not start. */
const exitCannotStart = 78

function versionOf(script: string): string {
  try {
    return String((JSON.parse(readFileSync(join(dirname(script), 'package.json'), 'utf8')) as { version?: unknown }).version ?? '')
  } catch {
    return ''
  }
}

function environment(settings: Settings): Record<string, string> {
  return settings.configFile === undefined ? { TARS_MONITOR: 'false' } : { TARS_CONFIG: settings.configFile, TARS_MONITOR: 'true' }
}

async function runMaster(settings: Settings): Promise<void> {
  const log = createLogger({ format: 'text' })
  const { script, args } = findEntry(settings.script, process.cwd())
  cluster.setupPrimary({ args: [script, ...(args.length > 0 ? args : settings.scriptArgs)], execArgv: [...process.execArgv, ...settings.nodeArgs] })
  const beatMs = (settings.keepaliveSeconds * 1000) / beatsMissed
  const workers = new Workers({ count: settings.workers, env: { ...environment(settings), [beatVariable]: String(beatMs) }, stopTimeoutMs: settings.deactivatingTimeoutMs, beatMs, log })
  const version = versionOf(script)
  const reporter = settings.nodeObject === undefined ? undefined : new Reporter({ ...settings, nodeObject: settings.nodeObject }, log)
  const admin = settings.adminEndpoint === undefined ? undefined : createAdmin({ endpoint: settings.adminEndpoint, version, workers, log })

  workers.once('ended', (code) => {
    void Promise.allSettled([reporter?.stop(), admin?.drain(1000)]).then(() => process.exit(code))
  })
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => workers.stop())
  await admin?.start()
  reporter?.start()
  const activate = (): void => reporter?.activate(version)
  if (settings.listens) workers.once('listening', activate)
  workers.once('online', () => setTimeout(activate, settings.listens ? silentStartMs : 0).unref())
  workers.start()
}

try {
  const { [beatVariable]: beatMs } = process.env
  // It is not the service's.
  Reflect.deleteProperty(process.env, beatVariable)
  if (cluster.isWorker) runWorker(process.argv[2] ?? '', (code) => process.exit(code), Number(beatMs))
  else await runMaster(readSettings(process.argv.slice(2)))
} catch (error) {
  process.stderr.write(`node-agent: ${describe(error)}\n`)
  process.exit(exitCannotStart)
}
