// Local volumes: real folders and an API server; binding is done as the scheduler and Kubernetes' volume controller do it.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createLogger, silentLogger, type Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { events, nodes, persistentVolumeClaims, persistentVolumes } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { startProvisioner, type Provisioner } from '../../framework/agent/volumes/provisioner.ts'
import { fnv32a } from '../../framework/agent/volumes/place.ts'
import { eventually, startTestCluster, type TestCluster } from '../rig/kube.ts'
import { bind, createClaim, createClass, createNode, nodeName, release, setPhase, volumeNamed } from './rig.ts'

const log = process.env['DEBUG'] === undefined ? silentLogger : createLogger({ format: 'text' })
const dayMs = 24 * 3600 * 1000

let cluster: TestCluster
let client: KubeClient
let namespace: string
let base: string
let node: Informer
let name: string
const running: Provisioner[] = []

beforeEach(async () => {
  cluster = await startTestCluster()
  client = cluster.client
  namespace = await cluster.namespace()
  node = new Informer({ client, resource: nodes, fieldSelector: `metadata.name=${nodeName}`, log })
  node.start()
  base = mkdtempSync(join(tmpdir(), 'tarsk8s-volumes-'))
  name = `${namespace}-data-demo-hello-${fnv32a('node-1tars-storage-class').toString(16)}`
})

afterEach(async () => {
  for (const one of running.splice(0)) await one.stop()
  await node.stop()
  await cluster.stop()
  rmSync(base, { recursive: true, force: true })
})

const start = (more: { client?: KubeClient; clock?: { now(): number; monotonic(): number }; log?: Logger } = {}): Provisioner => {
  const one = startProvisioner({ client, nodeName, node, base, unusedMs: dayMs, log, ...more })
  running.push(one)
  return one
}
const folder = (...names: string[]): string => join(base, namespace, 'Demo.Hello', 'data', ...names)
const made = (volume = name): Promise<AnyObject> => eventually(() => volumeNamed(client, volume), `volume ${volume}`)
const gone = (volume = name): Promise<true> => eventually(async () => (await volumeNamed(client, volume)) === undefined || undefined, `volume ${volume} is gone`)
const eventOf = (reason: string): Promise<AnyObject> => eventually(async () => (await client.list(events, { namespace })).items.find((event) => event['reason'] === reason), `event ${reason}`)

/** A bound volume with a file in it. */
async function bound(): Promise<AnyObject> {
  const claim = await createClaim(client, { namespace })
  await made()
  await bind(client, claim, name)
  writeFileSync(folder('file'), 'x')
  return claim
}

describe('provisioning', () => {
  test('makes folder and volume for a claim that waits', async () => {
    await createNode(client, namespace)
    await createClass(client)
    start()
    await createClaim(client, { namespace, annotations: { 'tars.io/LocalVolumeUID': '1000', 'tars.io/LocalVolumeGID': '1001', 'tars.io/LocalVolumeMode': '770' } })
    const volume = await made()
    expect(volume['spec']).toMatchObject({
      local: { path: folder() }, persistentVolumeReclaimPolicy: 'Delete', accessModes: ['ReadWriteOnce'], capacity: { storage: '1G' }, storageClassName: 'tars-storage-class',
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['host-1'] }] }] } },
    })
    expect(volume.metadata).toMatchObject({
      labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Hello', 'tars.io/LocalVolume': 'data' },
      annotations: { 'pv.kubernetes.io/provisioned-by': 'tars-local-volume-provisioner' }, finalizers: ['tars.io/local-volume'],
    })
    const { uid, gid, mode } = statSync(folder())
    expect([uid, gid, mode & 0o7777]).toEqual([1000, 1001, 0o770])
  })

  test('gives a claim without annotations mode 755 and root', async () => {
    await createNode(client, namespace)
    await createClass(client)
    start()
    await createClaim(client, { namespace })
    await made()
    const { uid, gid, mode } = statSync(folder())
    expect([uid, gid, mode & 0o7777]).toEqual([0, 0, 0o755])
  })

  test("serves the old class, and takes the mode where K8SFramework's controller writes it", async () => {
    await createNode(client, namespace)
    await createClass(client, 'Retain', 't-storage-class')
    start()
    await createClaim(client, { namespace, className: 't-storage-class', annotations: { 'tars.io/LocalVolume': '700' } })
    const volume = await made(`${namespace}-data-demo-hello-${fnv32a('node-1t-storage-class').toString(16)}`)
    expect(volume['spec'].persistentVolumeReclaimPolicy).toBe('Retain')
    expect(statSync(folder()).mode & 0o7777).toBe(0o700)
  })

  test('serves a node without the label for volumes with delay-bind only, and with the rest once it is labelled', async () => {
    await createNode(client, namespace, {})
    await createClass(client)
    start()
    await createClaim(client, { namespace })
    await createClaim(client, { namespace, volume: 'delay-bind' })
    await made(name.replace('-data-', '-delay-bind-'))
    expect(await volumeNamed(client, name)).toBeUndefined()
    await client.patch(nodes, { name: nodeName }, { metadata: { labels: { 'tars.io/SupportLocalVolume': '' } } })
    await made()
  })

  test("leaves other namespaces' and other classes' claims alone", async () => {
    await createNode(client, namespace)
    await createClass(client)
    start()
    const other = await cluster.namespace()
    await createClaim(client, { namespace: other })
    await createClaim(client, { namespace, className: 'fast', volume: 'fast' })
    await createClaim(client, { namespace })
    await made()
    expect((await client.list(persistentVolumes)).items.map(({ metadata }) => metadata.name)).toEqual([name])
    expect(readdirSync(base)).toEqual([namespace])
  })

  test.each([
    ['an annotation that is no number', { annotations: { 'tars.io/LocalVolumeUID': 'root' } }, 'LocalVolumeInvalid', /LocalVolumeUID is "root"/],
    ['a mode that is not octal', { annotations: { 'tars.io/LocalVolumeMode': '998' } }, 'LocalVolumeInvalid', /LocalVolumeMode is "998"/],
    ['a block volume', { volumeMode: 'Block' }, 'LocalVolumeInvalid', /volumeMode is Block/],
    ['a name that no volume can have', { volume: 'Data', name: 'x' }, 'LocalVolumeInvalid', /cannot be called/],
    ['no StorageClass', { className: 't-storage-class' }, 'StorageClassMissing', /no StorageClass t-storage-class/],
  ] as const)('says by an event what is wrong: %s', async (_what, wish, reason, message) => {
    await createNode(client, namespace)
    await createClass(client)
    start()
    await createClaim(client, { namespace, ...wish })
    expect((await eventOf(reason))['message']).toMatch(message)
    expect(readdirSync(base)).toEqual([])
  })

  test('says by an event when the name of the volume is taken', async () => {
    await createNode(client, namespace)
    await createClass(client)
    await client.create(persistentVolumes, { metadata: { name, labels: { 'tars.io/LocalVolume': 'data' } }, spec: { capacity: { storage: '1G' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/etc' } } } as never)
    start()
    await createClaim(client, { namespace })
    await eventOf('VolumeNameTaken')
  })

  test('does not go through a link that leads out of the base folder', async () => {
    await createNode(client, namespace)
    await createClass(client)
    const outside = mkdtempSync(join(tmpdir(), 'tarsk8s-outside-'))
    symlinkSync(outside, join(base, namespace))
    const lines: string[] = []
    start({ log: createLogger({ write: (line) => void lines.push(line) }) })
    await createClaim(client, { namespace })
    await eventually(() => lines.some((line) => line.includes('is a symbolic link')), 'refusal')
    expect(readdirSync(outside)).toEqual([])
    expect(await volumeNamed(client, name)).toBeUndefined()
    rmSync(outside, { recursive: true })
  })
})

describe('a bound volume', () => {
  test('follows annotations that come late, and keeps what the pod did to its folder otherwise', async () => {
    await createNode(client, namespace)
    await createClass(client)
    start()
    const claim = await bound()
    await client.patch(persistentVolumeClaims, claim.metadata, { metadata: { annotations: { 'tars.io/LocalVolumeUID': '1000', 'tars.io/LocalVolumeMode': '750' } } })
    await eventually(() => statSync(folder()).uid === 1000 && (statSync(folder()).mode & 0o777) === 0o750, 'owner and mode')
    expect(existsSync(folder('file'))).toBe(true)
  })

  test('that its claim lost is made again for it', async () => {
    await createNode(client, namespace)
    await createClass(client)
    const one = start()
    const claim = await bound()
    await one.stop()
    await client.patch(persistentVolumes, { name }, { metadata: { finalizers: null } })
    await client.delete(persistentVolumes, { name })
    await client.patch(persistentVolumeClaims, claim.metadata, { status: { phase: 'Lost' } }, { subresource: 'status' })
    start()
    expect((await made())['spec'].claimRef).toMatchObject({ namespace, name: claim.metadata.name, uid: claim.metadata.uid })
    expect(existsSync(folder('file'))).toBe(true)
  })
})

describe('the end of a claim', () => {
  test('with Delete: data, folders and volume go, and nothing that links lead to', async () => {
    await createNode(client, namespace)
    await createClass(client)
    start()
    const claim = await bound()
    const outside = mkdtempSync(join(tmpdir(), 'tarsk8s-outside-'))
    writeFileSync(join(outside, 'precious'), 'x')
    symlinkSync(outside, folder('link'))
    await release(client, claim, name)
    await gone()
    expect(readdirSync(base)).toEqual([])
    expect(readdirSync(outside)).toEqual(['precious'])
    rmSync(outside, { recursive: true })
  })

  test('with Retain: data and volume stay; when the volume is deleted the data stays, and the next claim has it', async () => {
    await createNode(client, namespace)
    await createClass(client, 'Retain')
    start()
    const claim = await bound()
    await release(client, claim, name)
    await createClaim(client, { namespace, volume: 'delay-bind' })
    await made(name.replace('-data-', '-delay-bind-'))
    expect((await volumeNamed(client, name))?.['status'].phase).toBe('Released')
    await client.delete(persistentVolumes, { name })
    await gone()
    expect(readdirSync(folder())).toEqual(['file'])
    await createClaim(client, { namespace, name: 'again' })
    await made()
    expect(readdirSync(folder())).toEqual(['file'])
  })

  test('that is not its end: data of a volume that is called released stays while its claim is there', async () => {
    await createNode(client, namespace)
    await createClass(client)
    const lines: string[] = []
    start({ log: createLogger({ write: (line) => void lines.push(line) }) })
    await bound()
    await setPhase(client, name, 'Released')
    await eventually(() => lines.some((line) => line.includes('its claim is there')), 'refusal')
    expect(readdirSync(folder())).toEqual(['file'])
  })

  test('a bound volume that is deleted is held, with its data, until its claim is gone', async () => {
    await createNode(client, namespace)
    await createClass(client)
    start()
    const claim = await bound()
    await client.delete(persistentVolumes, { name })
    await createClaim(client, { namespace, volume: 'delay-bind' })
    await made(name.replace('-data-', '-delay-bind-'))
    expect(readdirSync(folder())).toEqual(['file'])
    await release(client, claim, name)
    await gone()
    expect(existsSync(folder())).toBe(false)
  })

  test("K8SFramework's volumes are taken over", async () => {
    await createNode(client, namespace)
    await createClass(client)
    const claim = await createClaim(client, { namespace })
    mkdirSync(folder(), { recursive: true })
    writeFileSync(folder('file'), 'x')
    chmodSync(folder(), 0)
    await client.create(persistentVolumes, {
      metadata: { name, labels: claim.metadata.labels, annotations: { 'pv.kubernetes.io/provisioned-by': 'tars-local-volume-provisioner' } },
      spec: {
        capacity: { storage: '1G' }, accessModes: ['ReadWriteOnce'], storageClassName: 'tars-storage-class', persistentVolumeReclaimPolicy: 'Delete', local: { path: folder() },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node-1'] }] }] } },
      },
    } as never)
    await bind(client, claim, name)
    start()
    await eventually(async () => (await volumeNamed(client, name))?.metadata.finalizers?.includes('tars.io/local-volume'), 'finalizer')
    await eventually(() => (statSync(folder()).mode & 0o777) === 0o755, 'a mode that pods can use')
    await release(client, claim, name)
    await gone()
    expect(existsSync(folder())).toBe(false)
  })

  test('a path that no claim can have is not removed', async () => {
    await createNode(client, namespace)
    await createClass(client)
    mkdirSync(join(base, 'precious'))
    await client.create(persistentVolumes, {
      metadata: { name: 'odd', labels: { 'tars.io/LocalVolume': 'data' }, annotations: { 'pv.kubernetes.io/provisioned-by': 'tars-local-volume-provisioner' } },
      spec: {
        capacity: { storage: '1G' }, accessModes: ['ReadWriteOnce'], persistentVolumeReclaimPolicy: 'Delete', local: { path: `${base}/x/../precious` }, claimRef: { namespace, name: 'gone', uid: 'gone' },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['host-1'] }] }] } },
      },
    } as never)
    await setPhase(client, 'odd', 'Released')
    const lines: string[] = []
    start({ log: createLogger({ write: (line) => void lines.push(line) }) })
    await eventually(() => lines.some((line) => line.includes('is no local volume below')), 'refusal')
    expect(existsSync(join(base, 'precious'))).toBe(true)
  })
})

describe('a volume that nobody took', () => {
  const later = (): { now(): number; monotonic(): number } => ({ now: () => Date.now() + 2 * dayMs, monotonic: () => performance.now() })

  test('goes after a day, and what was kept in its folder stays', async () => {
    await createNode(client, namespace)
    await createClass(client)
    mkdirSync(folder(), { recursive: true })
    writeFileSync(folder('kept'), 'x')
    const one = start()
    const claim = await createClaim(client, { namespace })
    await made()
    await setPhase(client, name, 'Available')
    await client.delete(persistentVolumeClaims, claim.metadata)
    await one.stop()
    start({ clock: later() })
    await gone()
    expect(readdirSync(folder())).toEqual(['kept'])
  })

  test('is offered again while a claim waits for it, for the scheduler may have missed it', async () => {
    await createNode(client, namespace)
    await createClass(client)
    start()
    await createClaim(client, { namespace })
    await made()
    await setPhase(client, name, 'Available')
    await eventually(async () => (await volumeNamed(client, name))?.metadata.annotations?.['tars.io/LocalVolumeOffers'] === '1', 'an offer')
  })

  test('stays while a claim waits for it', async () => {
    await createNode(client, namespace)
    await createClass(client)
    const one = start()
    await createClaim(client, { namespace })
    const { metadata: { uid } } = await made()
    await setPhase(client, name, 'Available')
    await one.stop()
    start({ clock: later() })
    await createClaim(client, { namespace, volume: 'delay-bind' })
    await made(name.replace('-data-', '-delay-bind-'))
    expect((await volumeNamed(client, name))?.metadata.uid).toBe(uid)
  })
})

test('converges from a crash at every write', async () => {
  await createNode(client, namespace)
  await createClass(client)
  const writes = ['create', 'patch', 'delete'] as const
  let crashed = true
  for (let survived = 0; crashed && survived < 12; survived++) {
    crashed = false
    for (const before of [true, false]) {
      // The process ends right before, or right after, its write number `survived`.
      let left = survived
      const dies = async (): Promise<never> => {
        crashed = true
        throw new Error('the process ended')
      }
      const mortal: KubeClient = { ...client }
      for (const verb of writes) {
        Object.assign(mortal, { [verb]: async (...args: unknown[]) => {
          if (left < 0 || (left === 0 && before)) return await dies()
          const answer = await (client[verb] as (...given: unknown[]) => Promise<unknown>)(...args)
          return left-- === 0 ? await dies() : answer
        } })
      }
      const step = async (what: () => Promise<unknown>): Promise<void> => {
        const first = start({ client: mortal })
        const reached = what().catch(() => {})
        await eventually(async () => (crashed ? true : await Promise.race([reached.then(() => true), new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)))])), 'crash or success')
        await first.stop()
        start()
        await what()
        await running.pop()?.stop()
      }
      const claim = await createClaim(client, { namespace })
      await step(() => made())
      await bind(client, claim, name)
      writeFileSync(folder('file'), 'x')
      await release(client, claim, name)
      await step(() => gone())
      expect(readdirSync(base)).toEqual([])
    }
  }
  expect(crashed).toBe(false)
})
