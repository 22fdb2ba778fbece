// Which store a role has, by its environment.
import { join } from 'node:path'
import { readEnv } from '#base/env.ts'
import { Failure } from '#base/errors.ts'
import type { Environment, Lifetime } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import { dayOf, type Dataset, type Store } from './dataset.ts'
import type { ElasticOptions } from './elastic/http.ts'
import { openElasticStore } from './elastic/store.ts'
import { brokenDays, openSqliteStore } from './sqlite/store.ts'
import { Spool } from './spool.ts'

/** Elasticsearch or OpenSearch. */
export type ElasticSettings = Pick<ElasticOptions, 'urls' | 'user' | 'password' | 'apiKey' | 'caFile'> & { readonly prefix: string }

export interface StoreSettings {
  /** Folder of SQLite files, the spool and journals. */
  readonly data: string
  /** Without it: SQLite in the folder. */
  readonly elastic?: ElasticSettings
  /** Days that are kept, today among them. */
  readonly days: number
  /** Bytes of SQLite files; beyond it the oldest days go, and when there is only one, what is new is refused. */
  readonly bytes: number
  /** Bytes that may wait while the store is away. */
  readonly spoolBytes: number
}

/** `host:port`, or an address with http or https before it, which may be of another port, and below a path. */
const nodeForm = /^((https?:\/\/)(\[[\da-fA-F:]+\]|[^\s/:@[\]]+)(:\d{1,5})?(\/[\w.~%-]+)*\/?|(\[[\da-fA-F:]+\]|[^\s/:@[\]]+):\d{1,5})$/

/**
 * Reads `TARSSTORE_NODES` (`host:port` or `https://host:port`, … of Elasticsearch or OpenSearch; none: SQLite), `TARSSTORE_PROTOCOL` (http;
 * of nodes that do not say), `TARSSTORE_USER` and `TARSSTORE_PASSWORD`, or `TARSSTORE_API_KEY`, `TARSSTORE_CA` (a PEM file) and
 * `TARSSTORE_PREFIX` (what names of indices start with; `<namespace>_`).
 * @throws Failure ENV_INVALID
 */
export function elasticEnv(env: Environment): ElasticSettings | undefined {
  const read = readEnv(env)
  const nodes = read.optional('TARSSTORE_NODES', '').split(',').map((node) => node.trim()).filter((node) => node !== '')
  const protocol = read.choice('TARSSTORE_PROTOCOL', ['http', 'https'], 'http')
  const prefix = read.optional('TARSSTORE_PREFIX', `${read.required('Namespace')}_`)
  if (!/^[a-z0-9][a-z0-9_.-]*$/.test(prefix)) throw new Failure('ENV_INVALID', `environment variable TARSSTORE_PREFIX is no start of an index's name: "${prefix}"`, { remedy: 'use lower-case letters, digits, _, . and -' })
  const wrong = nodes.find((node) => !nodeForm.test(node))
  if (wrong !== undefined) throw new Failure('ENV_INVALID', `environment variable TARSSTORE_NODES has "${wrong}", which is neither host:port nor an address`, { remedy: 'set it to e.g. tars-elasticsearch:9200 or https://tars-elasticsearch:9200; user and password have variables of their own' })
  const [user, apiKey] = [read.optional('TARSSTORE_USER'), read.optional('TARSSTORE_API_KEY')]
  if (user !== undefined && apiKey !== undefined) throw new Failure('ENV_INVALID', 'environment variables TARSSTORE_USER and TARSSTORE_API_KEY are both set', { remedy: 'set one of them' })
  if (nodes.length === 0) return undefined
  const urls = nodes.map((node) => (node.includes('://') ? node.replace(/\/$/, '') : `${protocol}://${node}`))
  return { urls, prefix, user, password: read.optional('TARSSTORE_PASSWORD'), apiKey, caFile: read.optional('TARSSTORE_CA') }
}

/**
 * {@link elasticEnv}, and `TARSSTORE_DATA` (a folder; required), `TARSSTORE_DAYS`, `TARSSTORE_BYTES` and `TARSSTORE_SPOOL` (bytes).
 * @param days kept when the environment does not say
 * @throws Failure ENV_INVALID
 */
export function storeEnv(env: Environment, days: number): StoreSettings {
  const read = readEnv(env)
  const elastic = elasticEnv(env)
  return Object.freeze({
    data: read.required('TARSSTORE_DATA'),
    ...(elastic === undefined ? {} : { elastic }),
    days: read.integer('TARSSTORE_DAYS', days, { min: 1, max: 3650 }),
    bytes: read.integer('TARSSTORE_BYTES', defaultBytes, { min: 1 << 20 }),
    spoolBytes: read.integer('TARSSTORE_SPOOL', 512 << 20, { min: 1 << 20 }),
  })
}

const defaultBytes = 4 * 2 ** 30

export interface OpenStoreOptions {
  readonly settings: StoreSettings
  readonly dataset: Dataset
  readonly lifetime: Lifetime
  readonly log: Logger
  readonly now: () => number
}

const trimEveryMs = 3600_000
/** A day goes when so many looks at the clock, one after the other, have found it old: one that is set far ahead would end all of them. */
const looks = 6
/** On stop so much time is given to what still waits for the store, milliseconds; the rest stays in the spool's files. */
const lastMs = 3000

export interface OpenedStore {
  readonly store: Store
  readonly spool: Spool
  /** Of both. */
  readonly metrics: () => string
}

/** Opens the store of a role with its spool, and keeps its days in bounds. All of it ends with the lifetime. */
export function openStoreWithSpool(options: OpenStoreOptions): OpenedStore {
  const store = openStore(options)
  const spool = openSpool({ ...options, store })
  return { store, spool, metrics: () => spool.metrics() + storeMetrics(options.settings, options.dataset) }
}

/** Of a store itself, for Prometheus. */
export function storeMetrics({ data, elastic }: StoreSettings, dataset: Dataset): string {
  const broken = elastic === undefined ? [[brokenDays(join(data, 'rows'), dataset), { dataset: dataset.name }] as const] : []
  return metric('tarsstore_set_aside_files', 'Days that were damaged and are set aside; they go when their time is over.', broken)
}

/** Opens the store of a role, and keeps its days in bounds. It ends with the lifetime. */
export function openStore({ settings, dataset, lifetime, log, now }: OpenStoreOptions): Store {
  const { data, elastic, days, bytes } = settings
  const store = elastic === undefined ? openSqliteStore(join(data, 'rows'), { maxBytes: bytes }) : openElasticStore({ ...elastic, log })
  lifetime.onStop(() => store.close())
  const seen = Array.from({ length: looks }, () => 0)
  const trim = async (): Promise<void> => {
    try {
      seen.shift()
      seen.push(now())
      const oldest = new Date(Math.min(...seen))
      oldest.setDate(oldest.getDate() - days + 1)
      const dropped = await store.trim(dataset, dayOf(oldest.getTime()))
      if (dropped > 0) log.info('old days dropped', { dataset: dataset.name, days: dropped })
    } catch (error) {
      log.error('old days not dropped; it is tried again in an hour', { dataset: dataset.name, error })
    }
  }
  const first = trim()
  const timer = setInterval(() => void trim(), trimEveryMs)
  lifetime.onStop(async () => {
    clearInterval(timer)
    await first
  })
  return store
}

/** Opens the spool of a role. When it ends with the lifetime, what waits is given some time. */
export function openSpool({ settings, dataset, store, lifetime, log, rowsAFile }: Omit<OpenStoreOptions, 'now'> & { readonly store: Pick<Store, 'write'>; readonly rowsAFile?: number }): Spool {
  const { data, spoolBytes } = settings
  const spool = lifetime.own(new Spool({ folder: join(data, 'spool', dataset.name), dataset, store, log, maxBytes: spoolBytes, ...(rowsAFile === undefined ? {} : { rowsAFile }) }))
  lifetime.onStop(async () => {
    if (spool.failing) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const late = setTimeout(resolve, lastMs)
    await Promise.race([spool.empty(), promise])
    clearTimeout(late)
  })
  return spool
}
