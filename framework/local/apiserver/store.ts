import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { StatementSync } from 'node:sqlite'
import { Failure } from '#base/errors.ts'
import type { AnyObject } from '#kube/types.ts'
import { Flusher } from './flusher.ts'

/** One change, in the order of its revision. Objects are never modified after they are stored. */
export interface Change {
  readonly revision: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly collection: string
  /** For DELETED: the last state, carrying the revision of the deletion. */
  readonly object: AnyObject
  readonly previous: AnyObject | undefined
}

export interface Address {
  /** `group/plural` */
  readonly collection: string
  /** `''` for cluster-scoped objects. */
  readonly namespace: string
  readonly name: string
}

/** The object was changed or removed since `expected` was read. */
export class StaleWrite extends Error {}

export interface StoreOptions {
  /** Changes kept for watches that come back; older ones answer 410. */
  readonly historyLimit?: number
  /** Bytes that those changes may take. Default 64 MiB. */
  readonly historyBytes?: number
}

type Listener = (change: Change) => void
interface HistoryRow { revision: number; type: Change['type']; collection: string; value: string; previous: string | null }

/**
 * Every object, in memory for reading and in SQLite for keeping. A write is one transaction (object and history),
 * in the file when {@link commit} returns; revisions grow by one a write and never go back, restarts included.
 */
export class Store {
  readonly #db: DatabaseSync
  readonly #flusher: Flusher | undefined
  readonly #statements: ReturnType<typeof prepare>
  readonly #objects = new Map<string, Map<string, AnyObject>>()
  readonly #sorted = new Map<string, readonly AnyObject[]>()
  readonly #listeners = new Set<Listener>()
  readonly #limits: Required<StoreOptions>
  #historyBytes: number
  #revision: number
  #compacted: number

  /** @param file path of the database, or `:memory:` */
  constructor(file: string, { historyLimit = 10_000, historyBytes = 64 * 1024 * 1024 }: StoreOptions = {}) {
    this.#limits = { historyLimit, historyBytes }
    this.#db = open(file)
    this.#flusher = file === ':memory:' ? undefined : new Flusher(`${file}-wal`)
    this.#statements = prepare(this.#db)
    for (const row of this.#statements.all.iterate() as Iterable<{ collection: string; key: string; value: string }>) {
      this.#bucket(row.collection).set(row.key, JSON.parse(row.value) as AnyObject)
    }
    const bounds = this.#statements.bounds.get() as { last: number | null; compacted: number | null; bytes: number | null }
    this.#revision = bounds.last ?? 1
    this.#compacted = bounds.compacted ?? 0
    this.#historyBytes = bounds.bytes ?? 0
  }

  /** Of the latest write. */
  get revision(): number {
    return this.#revision
  }

  /** Changes up to here can no longer be replayed. */
  get compactedRevision(): number {
    return this.#compacted
  }

  get({ collection, namespace, name }: Address): AnyObject | undefined {
    return this.#objects.get(collection)?.get(`${namespace}/${name}`)
  }

  /** All objects of a collection, or of one namespace in it, by namespace and name. */
  list(collection: string, namespace?: string): readonly AnyObject[] {
    let all = this.#sorted.get(collection)
    if (all === undefined) {
      const bucket = this.#objects.get(collection) ?? new Map<string, AnyObject>()
      all = [...bucket].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, object]) => object)
      this.#sorted.set(collection, all)
    }
    return namespace === undefined ? all : all.filter((object) => (object.metadata.namespace ?? '') === namespace)
  }

  /** The collection as it was at an earlier revision; undefined when that is compacted away. */
  listAt(collection: string, revision: number): readonly AnyObject[] | undefined {
    if (revision < this.#compacted || revision > this.#revision) return undefined
    if (revision === this.#revision) return this.list(collection)
    const state = new Map(this.list(collection).map((object) => [addressKey(object), object]))
    for (const change of this.changesAfter(revision, collection).reverse()) {
      const key = addressKey(change.object)
      if (change.previous === undefined) state.delete(key)
      else state.set(key, change.previous)
    }
    return [...state].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, object]) => object)
  }

  /** Names of the collections that hold anything. */
  collections(): string[] {
    return [...this.#objects].filter(([, bucket]) => bucket.size > 0).map(([name]) => name)
  }

  /** Changes of a collection later than `revision`, oldest first. */
  changesAfter(revision: number, collection: string): Change[] {
    const rows = this.#statements.changes.all(collection, revision) as unknown as HistoryRow[]
    return rows.map(({ value, previous, ...row }) => ({ ...row, object: JSON.parse(value) as AnyObject, previous: previous === null ? undefined : (JSON.parse(previous) as AnyObject) }))
  }

  /**
   * Stores `object` (undefined: removes what is there) and tells the listeners.
   * @param expected what the caller read; undefined when it expects nothing to be there
   * @returns the object with its new resourceVersion
   * @throws StaleWrite when something else is there by now
   */
  commit(address: Address, object: AnyObject | undefined, expected: AnyObject | undefined): AnyObject {
    const key = `${address.namespace}/${address.name}`
    const bucket = this.#bucket(address.collection)
    if (bucket.get(key) !== expected) throw new StaleWrite(`${address.collection} ${key} has changed`)
    const base = object ?? expected
    if (base === undefined) throw new StaleWrite(`${address.collection} ${key} is not there`)
    const revision = this.#revision + 1
    const stored: AnyObject = { ...base, metadata: { ...base.metadata, resourceVersion: String(revision) } }
    const type = object === undefined ? 'DELETED' : expected === undefined ? 'ADDED' : 'MODIFIED'
    this.#write({ revision, type, collection: address.collection, object: stored, previous: expected }, key)
    this.#revision = revision
    if (object === undefined) bucket.delete(key)
    else bucket.set(key, stored)
    this.#sorted.delete(address.collection)
    for (const listener of this.#listeners) listener({ revision, type, collection: address.collection, object: stored, previous: expected })
    return stored
  }

  /** Calls `listener` after every write, in order, before the write returns. It must not throw. @returns ends it */
  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A value kept beside the objects (the cluster's own keys), or undefined. */
  setting(name: string): string | undefined {
    return (this.#statements.setting.get(name) as { value: string } | undefined)?.value
  }

  setSetting(name: string, value: string): void {
    this.#statements.setSetting.run(name, value)
  }

  close(): void {
    this.#listeners.clear()
    this.#flusher?.close()
    this.#db.close()
  }

  #write({ revision, type, collection, object, previous }: Change, key: string): void {
    const value = JSON.stringify(object)
    const earlier = previous === undefined ? null : JSON.stringify(previous)
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      if (type === 'DELETED') this.#statements.remove.run(collection, key)
      else this.#statements.put.run(collection, key, value)
      this.#statements.log.run(revision, type, collection, value, earlier)
      this.#historyBytes += value.length + (earlier?.length ?? 0)
      this.#bound(revision)
      this.#db.exec('COMMIT')
      this.#flusher?.written()
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }

  /** Forgets old changes once there are a quarter more than the limit, or more bytes; the newest always stays. */
  #bound(newest: number): void {
    const { historyLimit, historyBytes } = this.#limits
    if (newest - this.#compacted > historyLimit * 1.25) this.#compactTo(newest - historyLimit)
    else if (this.#historyBytes > historyBytes) {
      const { cut } = this.#statements.cutoff.get(historyBytes / 2) as { cut: number | null }
      this.#compactTo(Math.min(cut ?? 0, newest - 1))
    }
  }

  #compactTo(revision: number): void {
    if (revision <= this.#compacted) return
    this.#statements.compact.run(revision)
    this.#statements.compacted.run(revision)
    this.#compacted = revision
    this.#historyBytes = (this.#statements.bounds.get() as { bytes: number | null }).bytes ?? 0
  }

  #bucket(collection: string): Map<string, AnyObject> {
    let bucket = this.#objects.get(collection)
    if (bucket === undefined) this.#objects.set(collection, (bucket = new Map()))
    return bucket
  }
}

function addressKey(object: AnyObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`
}

/** Secrets and the authority's key are in it: only its owner may read it. SQLite makes its log with the mode of the database. */
function keepPrivate(file: string): void {
  closeSync(openSync(file, 'a', 0o600))
  for (const one of [file, `${file}-wal`]) if (existsSync(one)) chmodSync(one, 0o600)
}

function open(file: string): DatabaseSync {
  try {
    if (file !== ':memory:') keepPrivate(file)
    const db = new DatabaseSync(file)
    // NORMAL: a write that was answered survives kill -9; the flusher takes care of power cuts.
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA locking_mode = EXCLUSIVE;')
    db.exec(`CREATE TABLE IF NOT EXISTS objects (collection TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (collection, key)) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS history (revision INTEGER PRIMARY KEY, type TEXT NOT NULL, collection TEXT NOT NULL, value TEXT NOT NULL, previous TEXT);
      CREATE INDEX IF NOT EXISTS history_by_collection ON history (collection, revision);
      CREATE TABLE IF NOT EXISTS compaction (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);`)
    return db
  } catch (cause) {
    throw new Failure('STORE_UNUSABLE', `the cluster's database ${file} cannot be opened`, {
      cause, remedy: 'stop the other process that uses this data folder, or, if the file is damaged, move it away',
    })
  }
}

function prepare(db: DatabaseSync): Record<'all' | 'bounds' | 'changes' | 'put' | 'remove' | 'log' | 'compact' | 'compacted' | 'setting' | 'setSetting' | 'cutoff', StatementSync> {
  return {
    all: db.prepare('SELECT collection, key, value FROM objects'),
    bounds: db.prepare('SELECT (SELECT max(revision) FROM history) AS last, (SELECT revision FROM compaction) AS compacted, (SELECT sum(length(value) + coalesce(length(previous), 0)) FROM history) AS bytes'),
    changes: db.prepare('SELECT revision, type, collection, value, previous FROM history WHERE collection = ? AND revision > ? ORDER BY revision'),
    cutoff: db.prepare('SELECT max(revision) AS cut FROM (SELECT revision, sum(length(value) + coalesce(length(previous), 0)) OVER (ORDER BY revision DESC) AS total FROM history) WHERE total > ?'),
    put: db.prepare('INSERT INTO objects VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'),
    remove: db.prepare('DELETE FROM objects WHERE collection = ? AND key = ?'),
    log: db.prepare('INSERT INTO history VALUES (?, ?, ?, ?, ?)'),
    compact: db.prepare('DELETE FROM history WHERE revision <= ?'),
    setting: db.prepare('SELECT value FROM settings WHERE name = ?'),
    setSetting: db.prepare('INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value'),
    compacted: db.prepare('INSERT INTO compaction VALUES (1, ?) ON CONFLICT DO UPDATE SET revision = excluded.revision'),
  }
}
