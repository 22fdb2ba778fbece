import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Failure } from '#base/errors.ts'
import { parseConfig } from '#tars/conf.ts'
import { words } from './entry.ts'

/** What node-agent runs with: its arguments and the generated service configuration. */
export interface Settings {
  readonly script: string
  readonly configFile: string | undefined
  readonly app: string
  readonly server: string
  readonly workers: number
  /** `App.Server.Obj@tcp …` of tarsnode's ServerObj, undefined outside Tars. */
  readonly nodeObject: string | undefined
  /** Endpoint on which AdminObj is served. */
  readonly adminEndpoint: string | undefined
  /** How long workers may take to end, milliseconds. */
  readonly deactivatingTimeoutMs: number
  /** Options of the workers' runtime, and arguments of the script where scripts.start has none. */
  readonly nodeArgs: readonly string[]
  readonly scriptArgs: readonly string[]
  /** How long a worker's event loop may stand still before it is ended, seconds; 0: for ever. */
  readonly keepaliveSeconds: number
  /** True when the configuration has a servant adapter, so that readiness means "listening". */
  readonly listens: boolean
}

/** node-agent's own, seconds. */
const keepaliveSeconds = 300

/** Parses `<script or folder> -c <conf> [-i <workers>]`, the form in which tarsnode starts a nodejs service. */
export function readSettings(argv: readonly string[]): Settings {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { config: { type: 'string', short: 'c' }, instances: { type: 'string', short: 'i' } },
  })
  const [script] = positionals
  if (script === undefined) throw new Failure('AGENT_USAGE', 'no script given', { remedy: 'node-agent <script or folder> -c <conf> [-i <workers>]' })
  const conf = values.config === undefined ? undefined : parseConfig(readFileSync(values.config, 'utf8'))
  const get = (path: string): string | undefined => conf?.get(path) || undefined
  const server = '/tars/application/server'
  return {
    script,
    configFile: values.config,
    app: get(`${server}<app>`) ?? '',
    server: get(`${server}<server>`) ?? '',
    workers: workerCount(values.instances ?? get(`${server}<instances>`) ?? get('/tars/application/client<asyncthread>')),
    nodeObject: get(`${server}<node>`),
    adminEndpoint: get(`${server}<local>`),
    deactivatingTimeoutMs: Number(get(`${server}<deactivating-timeout>`) ?? 8000),
    nodeArgs: [...words(get(`${server}<node-args>`) ?? ''), ...heapLimit(get(`${server}<max-memory-restart>`))],
    scriptArgs: words(get(`${server}<script-args>`) ?? ''),
    keepaliveSeconds: keepalive(get(`${server}<keepalive-time>`)),
    listens: [...(conf?.domain(server)?.domains.values() ?? [])].some((adapter) => adapter.values.has('servant')),
  }
}

/** Megabytes. */
const heapLimit = (text = ''): string[] => (/^\d+$/.test(text) ? [`--max-old-space-size=${text}`] : [])

const keepalive = (text = ''): number => (text === 'off' ? 0 : /^\d+$/.test(text) ? Number(text) : keepaliveSeconds)

function workerCount(text: string | undefined): number {
  const count = text === 'max' || text === 'auto' ? availableParallelism() : Number(text ?? 1)
  return Number.isInteger(count) && count > 0 ? Math.min(count, 64) : 1
}
