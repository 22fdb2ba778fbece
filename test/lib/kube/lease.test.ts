import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Running } from '#base/lifecycle.ts'
import { silentLogger } from '#base/log.ts'
import { createKubeClient } from '#kube/client.ts'
import { heldClient } from '#kube/held-client.ts'
import { startElection } from '#kube/lease.ts'
import type { Election } from '#kube/lease.ts'
import { leases } from '#kube/resources.ts'
import { behaviourCluster, eventually } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'
import { startFaultProxy } from './fault-proxy.ts'

let cluster: TestCluster
beforeAll(async () => {
  cluster = await behaviourCluster()
})
afterAll(() => cluster.stop())

function candidate(name: string, identity: string, working: Set<string>): Election {
  const lead = async (): Promise<Running> => {
    working.add(identity)
    return { stop: async () => void working.delete(identity), done: new Promise(() => {}) }
  }
  return startElection({ client: cluster.client, namespace: 'default', name, identity, log: silentLogger, lead, retryMs: 20 })
}

describe('election', () => {
  it('has one leader, and the next takes over at once when it stops', async () => {
    const working = new Set<string>()
    const identities = ['a', 'b', 'c']
    const candidates = identities.map((identity) => candidate('handover', identity, working))
    const leader = () => candidates.find(({ isLeader }) => isLeader)
    const first = await eventually(leader, 'somebody leads')
    await eventually(() => working.size === 1, 'the work runs')
    await first.stop()
    expect([...working]).not.toContain(identities[candidates.indexOf(first)])
    await eventually(() => leader() !== undefined && working.size === 1, 'the next leads')
    expect(candidates.filter(({ isLeader }) => isLeader)).toHaveLength(1)
    await Promise.all(candidates.map((one) => one.stop()))
    expect(working.size).toBe(0)
    expect(await cluster.client.get(leases, { namespace: 'default', name: 'handover' })).toMatchObject({ spec: { holderIdentity: '', leaseTransitions: expect.any(Number) as number } })
  })
  it('takes a lease over that its holder no longer renews', async () => {
    const now = '2020-01-01T00:00:00.000000Z'
    const spec = { holderIdentity: 'dead', leaseDurationSeconds: 1, acquireTime: now, renewTime: now, leaseTransitions: 4 }
    await cluster.client.create(leases, { metadata: { name: 'dead', namespace: 'default' }, spec } as never)
    const working = new Set<string>()
    const election = candidate('dead', 'alive', working)
    await eventually(() => election.isLeader, 'the lease is taken over')
    expect(await cluster.client.get(leases, { namespace: 'default', name: 'dead' })).toMatchObject({ spec: { holderIdentity: 'alive', leaseTransitions: 5 } })
    await election.stop()
  })
  it('stops work that only starts when the lease is lost', async () => {
    const working = new Set<string>()
    const gate = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<AbortSignal>()
    const lead = async (signal: AbortSignal): Promise<Running> => {
      begun.resolve(signal)
      await gate.promise
      working.add('late')
      return { stop: async () => void working.delete('late'), done: new Promise(() => {}) }
    }
    const election = startElection({ client: cluster.client, namespace: 'default', name: 'starting', identity: 'late', log: silentLogger, lead, retryMs: 20 })
    const signal = await begun.promise
    const stopped = election.stop()
    await eventually(() => signal.aborted, 'the start is told')
    gate.resolve()
    await stopped
    expect(working.size).toBe(0)
  })
  it('is renewed without being read, and goes on when its record was changed or removed', async () => {
    const proxy = await startFaultProxy(cluster.config)
    const client = createKubeClient(proxy.config)
    const lead = async (): Promise<Running> => ({ stop: async () => {}, done: new Promise(() => {}) })
    const election = startElection({ client, namespace: 'default', name: 'renewed', identity: 'only', log: silentLogger, lead, retryMs: 20 })
    const renewals = (): number => proxy.requests.filter((request) => request.startsWith('PUT')).length
    const pass = async (): Promise<void> => { const before = renewals(); await eventually(() => renewals() > before + 1, 'it is renewed') }
    await eventually(() => election.isLeader, 'it leads')
    await pass()
    const reads = proxy.requests.filter((request) => request.startsWith('GET')).length
    await pass()
    expect(proxy.requests.filter((request) => request.startsWith('GET'))).toHaveLength(reads)
    await cluster.client.patch(leases, { namespace: 'default', name: 'renewed' }, { metadata: { labels: { touched: 'yes' } } })
    await pass()
    expect(await cluster.client.get(leases, { namespace: 'default', name: 'renewed' })).toMatchObject({ metadata: { labels: { touched: 'yes' } }, spec: { holderIdentity: 'only' } })
    await cluster.client.delete(leases, { namespace: 'default', name: 'renewed' })
    await eventually(() => cluster.client.get(leases, { namespace: 'default', name: 'renewed' }).catch(() => undefined), 'it is there again')
    expect(election.isLeader).toBe(true)
    await election.stop()
    client.close()
    await proxy.stop()
  })
  it('lets a leader that slept write nothing before it has renewed', async () => {
    const told = Promise.withResolvers<() => boolean>()
    const lead = async (_signal: AbortSignal, holds: () => boolean): Promise<Running> => (told.resolve(holds), { stop: async () => {}, done: new Promise(() => {}) })
    const election = startElection({ client: cluster.client, namespace: 'default', name: 'asleep', identity: 'sleeper', log: silentLogger, lead, leaseMs: 60_000, renewDeadlineMs: 500, retryMs: 20 })
    const holds = await told.promise
    const client = heldClient(cluster.client, holds)
    const write = (): Promise<unknown> => client.patch(leases, { namespace: 'default', name: 'asleep' }, { metadata: { labels: { written: 'yes' } } })
    await eventually(holds, 'it holds the lease')
    // As a process that is stopped: nothing of it runs.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)
    await expect(write()).rejects.toThrow('the lease may have passed to another')
    expect(await client.get(leases, { namespace: 'default', name: 'asleep' })).not.toMatchObject({ metadata: { labels: { written: 'yes' } } })
    await eventually(() => write().then(() => true, () => false), 'it has renewed and writes')
    await election.stop()
    await expect(write()).rejects.toThrow('the lease may have passed to another')
  })
  it('ends the work when somebody else holds the lease', async () => {
    const working = new Set<string>()
    const election = candidate('stolen', 'first', working)
    await eventually(() => working.has('first'), 'the work runs')
    await cluster.client.patch(leases, { namespace: 'default', name: 'stolen' }, { spec: { holderIdentity: 'thief', leaseDurationSeconds: 60 } })
    await eventually(() => !election.isLeader && working.size === 0, 'the work ended')
    await election.stop()
  })
})
