import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Failure } from '#base/errors.ts'
import type { Level } from './model/level.ts'
import type { NotifyRecord } from './model/record.ts'

export interface Retention {
  /** Milliseconds a notification is kept. */
  readonly maxAgeMs: number
  /** Newest notifications a server that are kept. */
  readonly perServer: number
}

export interface Question {
  readonly app: string
  readonly server: string
  /** Only of this node; empty for all. */
  readonly node: string
  readonly offset: number
  readonly limit: number
}

/** Version of the file's layout, in SQLite's user_version. */
const layout = 1

const schema = `
  CREATE TABLE IF NOT EXISTS notify (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL, app TEXT NOT NULL, server TEXT NOT NULL, node TEXT NOT NULL,
    thread TEXT NOT NULL, level TEXT NOT NULL, source TEXT NOT NULL, "set" TEXT NOT NULL, container TEXT NOT NULL, message TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS notify_server ON notify (app, server, id);
  CREATE INDEX IF NOT EXISTS notify_time ON notify (time);
`

/** Notifications in one SQLite file, newest first on the way out. Every write is on disk when its call returns. */
export class NotifyStore {
  readonly #db: DatabaseSync
  readonly #insert: StatementSync
  readonly #select: StatementSync

  /** @param folder made when missing; or `:memory:` */
  constructor(folder: string) {
    this.#db = open(folder)
    this.#insert = this.#db.prepare(
      'INSERT INTO notify (time, app, server, node, thread, level, source, "set", container, message) VALUES (:time, :app, :server, :node, :thread, :level, :source, :set, :container, :message)',
    )
    this.#select = this.#db.prepare(
      "SELECT * FROM notify WHERE app = :app AND server = :server AND (:node = '' OR node = :node) ORDER BY id DESC LIMIT :limit OFFSET :offset",
    )
  }

  /** All or none of them. */
  append(records: readonly NotifyRecord[]): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      for (const record of records) this.#insert.run({ ...record })
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#db.exec('ROLLBACK')
      throw error
    }
  }

  find(question: Question): NotifyRecord[] {
    return this.#select.all({ ...question }).map((row) => ({
      time: Number(row['time']), app: text(row['app']), server: text(row['server']), node: text(row['node']), thread: text(row['thread']),
      level: text(row['level']) as Level, source: text(row['source']) as NotifyRecord['source'], set: text(row['set']),
      container: text(row['container']), message: text(row['message']),
    }))
  }

  /** Forgets what is too old or too much. @returns how many */
  trim({ maxAgeMs, perServer }: Retention, now: number): number {
    const old = this.#db.prepare('DELETE FROM notify WHERE time < ?').run(now - maxAgeMs).changes
    const excess = this.#db.prepare(`
      DELETE FROM notify WHERE id IN (
        SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY app, server ORDER BY id DESC) AS place FROM notify) WHERE place > ?)
    `).run(perServer).changes
    return Number(old) + Number(excess)
  }

  close(): void {
    this.#db.close()
  }
}

function open(folder: string): DatabaseSync {
  try {
    if (folder !== ':memory:') mkdirSync(folder, { recursive: true })
    const db = new DatabaseSync(folder === ':memory:' ? folder : join(folder, 'notify.sqlite'))
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 2000')
    const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
    if (version > layout) throw new Error(`it was written by a newer version (layout ${version})`)
    db.exec(`${schema} PRAGMA user_version = ${layout}`)
    return db
  } catch (cause) {
    throw new Failure('NOTIFY_STORE', `notifications cannot be kept in ${folder}`, { cause, remedy: 'set TARSNOTIFY_DATA to a folder that can be written to' })
  }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
