import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { AnyObject } from '#kube/types.ts'
import { StaleWrite, Store } from '../../../framework/local/apiserver/store.ts'

const address = { collection: '/configmaps', namespace: 'n', name: 'x' }
const object = (data: string): AnyObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'n' }, data })

describe('store', () => {
  it('refuses a write over something else than was read', () => {
    const store = new Store(':memory:')
    const first = store.commit(address, object('1'), undefined)
    expect(() => store.commit(address, object('2'), undefined)).toThrow(StaleWrite)
    store.commit(address, object('2'), first)
    expect(() => store.commit(address, object('3'), first)).toThrow(StaleWrite)
    store.close()
  })
  it('gives back earlier states until they are compacted', () => {
    const store = new Store(':memory:', { historyLimit: 8 })
    let current = store.commit(address, object('0'), undefined)
    const revisions = [store.revision]
    for (let index = 1; index <= 5; index++) {
      current = store.commit(address, object(String(index)), current)
      revisions.push(store.revision)
    }
    store.commit(address, undefined, current)
    expect(store.list('/configmaps')).toEqual([])
    revisions.forEach((revision, index) => expect(store.listAt('/configmaps', revision)?.[0]?.['data']).toBe(String(index)))
    for (let index = 0, last: AnyObject | undefined; index < 12; index++) last = store.commit(address, object('later'), last)
    expect(store.listAt('/configmaps', revisions[0] ?? 0)).toBeUndefined()
    store.close()
  })
  it('bounds the history by bytes too, and always keeps the newest change', () => {
    const store = new Store(':memory:', { historyBytes: 100_000 })
    let current: AnyObject | undefined
    for (let index = 0; index < 50; index++) current = store.commit(address, object('x'.repeat(20_000)), current)
    expect(store.compactedRevision).toBeGreaterThan(store.revision - 5)
    expect(store.changesAfter(store.revision - 1, '/configmaps')).toHaveLength(1)
    store.close()
  })
  it('keeps what it writes to itself: Secrets are in the database and in its log', () => {
    const folder = mkdtempSync(join(tmpdir(), 'store-'))
    const file = join(folder, 'objects.sqlite')
    const modes = (): number[] => [file, `${file}-wal`].map((one) => statSync(one).mode & 0o777)
    try {
      const store = new Store(file)
      store.commit(address, object('secret'), undefined)
      expect(modes()).toEqual([0o600, 0o600])
      // As an earlier version left it.
      for (const one of [file, `${file}-wal`]) chmodSync(one, 0o644)
      store.close()
      const again = new Store(file)
      again.commit(address, object('other'), again.get(address))
      expect(modes()).toEqual([0o600, 0o600])
      again.close()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
