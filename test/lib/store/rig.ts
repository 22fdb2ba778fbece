// The stores that tests run against: SQLite, and a real OpenSearch and Elasticsearch.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '#base/log.ts'
import type { Dataset, Row, Store } from '#store/dataset.ts'
import { openElasticStore } from '#store/elastic/store.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { startSearchNode } from '../../rig/search-node/search-node.ts'

export const storeKinds = ['SQLite', 'OpenSearch', 'Elasticsearch', 'Elasticsearch 8'] as const
export type StoreKind = (typeof storeKinds)[number]

const searchKinds = { OpenSearch: 'opensearch', Elasticsearch: 'elasticsearch', 'Elasticsearch 8': 'elasticsearch8' } as const

export interface TestStore {
  readonly store: Store
  /** What was written is found. */
  settle(): Promise<void>
  /** Opens it anew, as another process would. */
  reopen(): Promise<void>
  stop(): Promise<void>
}

export async function startStore(kind: StoreKind): Promise<TestStore> {
  if (kind === 'SQLite') {
    const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-store-'))
    let store = openSqliteStore(folder)
    return {
      get store() {
        return store
      },
      settle: async () => {},
      async reopen() {
        await store.close()
        store = openSqliteStore(folder)
      },
      async stop() {
        await store.close()
        await rm(folder, { recursive: true, force: true })
      },
    }
  }
  const node = await startSearchNode(searchKinds[kind])
  const open = (): Store => openElasticStore({ urls: [node.url], prefix: 'prod_', log: silentLogger })
  let store = open()
  return {
    get store() {
      return store
    },
    settle: async () => void (await fetch(`${node.url}/_refresh`, { method: 'POST' })),
    reopen: async () => void (store = open()),
    stop: () => node.remove(),
  }
}

/** A dataset with a field of each type. */
export const dataset: Dataset = {
  name: 'stat', index: 'daily', order: 'f_tflag',
  fields: { f_timestamp: { type: 'integer' }, f_date: { type: 'keyword' }, f_tflag: { type: 'keyword' }, name: { type: 'keyword' }, code: { type: 'integer' }, count: { type: 'integer' }, value: { type: 'number' }, least: { type: 'integer' } },
}

export function row(id: string, fields: Row['fields'] & { readonly f_date: string }): Row {
  const all = { f_tflag: '0100', ...fields }
  return { id, day: fields.f_date, fields: { f_timestamp: Number(`${all.f_date}${all.f_tflag}`), ...all } }
}
