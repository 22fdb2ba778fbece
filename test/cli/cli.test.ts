// The operator's commands against real services: embedded API server, tarsadmin, tarsregistry, tarsimage, an OCI registry.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TFrameworkConfig, TImage } from '#api/types.ts'
import { Lifetime } from '#base/lifecycle.ts'
import { silentLogger } from '#base/log.ts'
import { Communicator } from '#tars/client.ts'
import { QueryF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { startAdmin } from '../../framework/admin/admin.ts'
import { run as call } from '../../framework/cli/call.ts'
import { run as deploy } from '../../framework/cli/deploy.ts'
import { run as logs } from '../../framework/cli/logs.ts'
import type { Run } from '../../framework/cli/parts/io.ts'
import { parseServant } from '../../framework/cli/parts/servants.ts'
import { ensureImage, followBuild } from '../../framework/cli/parts/timage.ts'
import { changeServer } from '../../framework/cli/parts/tserver.ts'
import { run as release } from '../../framework/cli/release.ts'
import { run as restart } from '../../framework/cli/restart.ts'
import { run as status } from '../../framework/cli/status.ts'
import { run as stop } from '../../framework/cli/stop.ts'
import { startRegistry } from '../../framework/registry/registry.ts'
import { imageEnv } from '../../imagebuilder/env.ts'
import { startImageService } from '../../imagebuilder/service/service.ts'
import { createTserver, setPods, startNode, type TestNode } from '../admin/rig.ts'
import { tgz } from '../imagebuilder/rig/archives.ts'
import { startOciRegistry, workbench } from '../imagebuilder/rig/image.ts'
import { createEndpoint, createPod, createTemplate, namespace, startCluster, until, type TestCluster } from '../registry/cluster.ts'
import { ownAddress } from '../rig/own-address.ts'

const everything = new Lifetime()
let cluster: TestCluster
let folder: string
let node: TestNode
let queryPort: number
/** The pod's, and one where nothing listens. */
const [pod, nobody] = [ownAddress(), ownAddress()]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-cli-'))
  everything.onStop(() => rm(folder, { recursive: true, force: true }))
  cluster = await startCluster({
    podLogs: ({ name, follow, tailLines }) => {
      const log = new PassThrough()
      log.write(`${name} says hello ${tailLines ?? ''}\nand more\n`)
      return follow ? log : log.end()
    },
  })
  everything.onStop(() => cluster.stop())
  const { client, api } = cluster
  const common = { client, namespace, address: '127.0.0.1', log: silentLogger, signal: new AbortController().signal }
  const admin = everything.own(await startAdmin({ ...common, port: 0, agentPort: 8000 }))
  const registry = everything.own(await startRegistry({ ...common, ports: { query: 0, registry: 0 } }))
  queryPort = registry.ports.query
  const bench = await workbench()
  everything.onStop(() => bench.clean())
  const oci = await startOciRegistry({ dir: join(folder, 'oci'), host: '127.0.0.1', port: 0, log: silentLogger })
  everything.onStop(() => oci.stop())
  await writeFile(join(folder, 'supervisor.json'), JSON.stringify(bench.supervisor))
  const env = { Namespace: namespace, PodName: 'image-0', TARSIMAGE_WORKSPACE: join(folder, 'image'), TARSIMAGE_LISTEN: '127.0.0.1', TARSIMAGE_PORT: '0', TARSIMAGE_SUPERVISOR: join(folder, 'supervisor.json'), TARSIMAGE_INSECURE_REGISTRIES: oci.address }
  await client.create(resources.tframeworkconfigs, { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TFrameworkConfig', metadata: { name: 'tars-framework', namespace }, imageBuild: {}, imageUpload: { registry: `${oci.address}/tars` } } as unknown as TFrameworkConfig)
  await client.create(resources.timages, {
    apiVersion: 'k8s.tars.io/v1beta3', kind: 'TImage', metadata: { name: 'nodejsbase', namespace, labels: { 'tars.io/ImageType': 'base', 'tars.io/Supported.nodejs': '' } },
    imageType: 'base', supportedType: ['nodejs'], releases: [{ id: 'default', image: await bench.base(oci.address) }],
  } as TImage)
  const images = everything.own(await startImageService(imageEnv(env), client, silentLogger))
  await createTemplate(client, 'tars.default', 'tars.default', '')
  await createTemplate(client, 'tars.nodejs', 'tars.default', '')
  node = await startNode(pod)
  everything.onStop(() => node.stop())
  await writeFile(join(folder, 'kubeconfig'), api.kubeconfig(namespace))
  await writeFile(join(folder, 'hosts'), `# pods\n127.0.0.1 registry.test\n${pod} test-hello-0.test-hello test-hello-0\n`)
  const info = { kubeconfig: 'kubeconfig', namespace, adminUrl: admin.url, imageUrl: images.url, locator: `tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${queryPort}`, hostsFile: 'hosts' }
  await writeFile(join(folder, 'cluster.json'), JSON.stringify(info))
  await writeFile(join(folder, 'HelloServer.tgz'), tgz([{ name: 'HelloServer/package.json', content: '{"name":"hello","main":"index.js"}' }, { name: 'HelloServer/index.js', content: '' }]))

  await createTserver(client, 'Test', 'Hello')
  await createPod(client, { app: 'Test', server: 'Hello', name: 'test-hello-0', ip: pod, state: 'Active/Active/7' })
  await createEndpoint(client, 'Test', 'Hello', [{ name: 'NodeObj', port: 19385 }])
  await setPods(client, 'Test', 'Hello', [{ name: 'test-hello-0', podIP: pod, pid: '7' }])
  const communicator = new Communicator({ timeoutMs: 60_000 })
  const query = communicator.proxy<QueryFProxy>(QueryF, `tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${queryPort}`)
  await until(async () => (await query.findObjectById('Test.Hello.NodeObj')).length === 1)
  await until(async () => (await run(status, ['Test.Hello', '--json'])).out.includes('test-hello-0'))
  await communicator.close()
})

afterAll(() => everything.stop())

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

function text(stream: PassThrough): string {
  const chunks: Buffer[] = []
  for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function run(command: Run, args: readonly string[], { signal = new AbortController().signal, data = true } = {}): Promise<Outcome> {
  const [out, err] = [new PassThrough({ highWaterMark: 1 << 20 }), new PassThrough({ highWaterMark: 1 << 20 })]
  const code = await command(data ? [...args, '--data', folder] : args, { out, err, env: {}, signal, cwd: folder })
  return { code, out: text(out), err: text(err) }
}

describe('status', () => {
  test('a table for people, JSON for scripts', async () => {
    const { code, out } = await run(status, ['Test.Hello'])
    expect(code).toBe(0)
    expect(out.split('\n')[0]).toMatch(/^SERVER +TYPE +RELEASE +READY +STATE +POD +POD STATE +PID +RESTARTS +AGE +MESSAGE$/)
    expect(out.split('\n')[1]).toMatch(/^Test\.Hello +tars\.default +v1 +1\/1 +Active +test-hello-0 +Active +7 +0 +\d+d\d+h$/)
    const json = JSON.parse((await run(status, ['Test', '--json'])).out)
    expect(json.servers[0]).toMatchObject({ app: 'Test', server: 'Hello', state: 'Active' })
  })

  test('--watch prints at every change until it is asked to stop', async () => {
    const stopped = new AbortController()
    const out = new PassThrough({ highWaterMark: 1 << 20 })
    const watching = status(['Test', '-w', '--data', folder], { out, err: new PassThrough(), env: {}, signal: stopped.signal, cwd: folder })
    let seen = ''
    await until(() => (seen += text(out)).includes('Test.Hello'))
    await setPods(cluster.client, 'Test', 'Hello', [{ name: 'test-hello-0', podIP: pod, pid: '8' }])
    await until(() => /Test\.Hello.* 8 /.test((seen += text(out))))
    stopped.abort()
    expect(await watching).toBe(0)
  })
})

describe('commands to nodes', () => {
  test('each pod answers for itself, and the exit code says whether all did', async () => {
    expect(await run(restart, ['Test.Hello'])).toEqual({ code: 0, out: 'test-hello-0: restarting\n', err: '' })
    expect(node.calls.at(-1)).toBe('restart Test.Hello')
    const refused = await run(stop, ['Test.Hello', '--pod', 'nobody'])
    expect(refused.code).toBe(1)
    expect(refused.err).toMatch(/has no pod nobody/)
  })
})

describe('logs', () => {
  test('of a pod, of a server', async () => {
    expect((await run(logs, ['test-hello-0', '--tail', '3'])).out).toBe('test-hello-0 says hello 3\nand more\n')
    expect((await run(logs, ['Test.Hello'])).out).toBe('test-hello-0 says hello \nand more\n')
  })

  test('with several pods each line begins with its pod; -f goes on until it is asked to stop', async () => {
    const { client } = cluster
    await createTserver(client, 'Test', 'Two', { replicas: 2 })
    for (const index of [0, 1]) await createPod(client, { app: 'Test', server: 'Two', name: `test-two-${index}` })
    await setPods(client, 'Test', 'Two', [{ name: 'test-two-0' }, { name: 'test-two-1' }])
    await until(async () => (await run(status, ['Test.Two'])).out.includes('test-two-1'))
    const stopped = new AbortController()
    const out = new PassThrough({ highWaterMark: 1 << 20 })
    const following = logs(['Test.Two', '-f', '--data', folder], { out, err: new PassThrough(), env: {}, signal: stopped.signal, cwd: folder })
    let seen = ''
    await until(() => (seen += text(out)).split('\n').length === 5)
    expect(seen.trimEnd().split('\n').toSorted()).toEqual(['test-two-0 | and more', 'test-two-0 | test-two-0 says hello ', 'test-two-1 | and more', 'test-two-1 | test-two-1 says hello '])
    stopped.abort()
    expect(await following).toBe(0)
  })
})

describe('call', () => {
  const tars = join(import.meta.dirname, '../../framework/lib/tars/protocol')

  test('through the registry, names by the hosts file, the interface read at run time', async () => {
    const { code, out } = await run(call, ['Test.Hello.NodeObj', 'startServer', 'Test', '"Hello"', '--tars', join(tars, 'Node.tars')])
    // The node listens for NodeObj of tarsnode only: the call reached it and was refused there.
    expect(code).toBe(1)
    expect(out).toBe('')
    const direct = await run(call, [`tars.tarsnode.NodeObj@tcp -h ${pod} -p 19385`, 'startServer', 'Test', '"Hello"', '--tars', join(tars, 'Node.tars')])
    expect(direct).toEqual({ code: 0, out: '{\n  "return": 0,\n  "result": "Success"\n}\n', err: '' })
    expect((await run(call, [`tars.tarsnode.NodeObj@tcp -h ${pod} -p 19385`, 'tars_ping'])).out).toBe('"pong"\n')
  })

  test('structs and vectors come out as JSON, includes are found beside the file', async () => {
    const { out } = await run(call, [`tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${queryPort}`, 'findObjectById', 'Test.Hello.NodeObj', '--tars', join(tars, 'QueryF.tars')])
    expect(JSON.parse(out)).toMatchObject([{ host: 'test-hello-0.test-hello', port: 19385, istcp: 1 }])
  })

  test.each([
    ['an argument too few', ['findObjectById'], 2, /takes 1 arguments, not 0 .*findObjectById\(string id\)/],
    ['an unknown function', ['findNothing'], 2, /no function findNothing .*findObjectById/],
    ['a value of another type', ['getLocker', '[1]'], 1, /getLocker|req|object/],
  ])('%s is explained', async (_what, args, code, message) => {
    const outcome = await run(call, [`tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${queryPort}`, ...args, '--tars', join(tars, 'QueryF.tars')])
    expect([outcome.code, outcome.out]).toEqual([code, ''])
    expect(outcome.err).toMatch(message)
  })
})

describe('release and deploy', () => {
  let id: string

  test('a package becomes an image and a release', async () => {
    const { code, out, err } = await run(release, ['HelloServer.tgz', '--app', 'Demo', '--server', 'HelloServer', '--type', 'nodejs', '--mark', 'first', '--json'])
    expect(err).toMatch(/^uploading HelloServer\.tgz\n/)
    expect(code).toBe(0)
    const made = JSON.parse(out) as { id: string; image: string }
    id = made.id
    expect(made.image).toMatch(/\/tars\/demo\.helloserver:/)
    const image = await cluster.client.get(resources.timages, { namespace, name: 'demo-helloserver' })
    expect(image.releases?.[0]).toMatchObject({ id, image: made.image, mark: 'first' })
    // By these its releases are found for the server, also when it was made without.
    const marks = { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'HelloServer' }
    expect(image.metadata.labels).toMatchObject(marks)
    await cluster.client.patch(resources.timages, { namespace, name: 'demo-helloserver' }, { metadata: { labels: { 'tars.io/ServerApp': null, 'tars.io/ServerName': null } } })
    expect(await ensureImage({ client: cluster.client, namespace, signal: new AbortController().signal }, { app: 'Demo', server: 'HelloServer', object: 'demo-helloserver' })).toBeUndefined()
    expect((await cluster.client.get(resources.timages, { namespace, name: 'demo-helloserver' })).metadata.labels).toMatchObject(marks)
  })

  test('the newest release is deployed as a new server, with the template of its type', async () => {
    const { code, err } = await run(deploy, ['--app', 'Demo', '--server', 'HelloServer', '--servant', 'HelloObj:18000', '--servant', 'UdpObj:18001:udp:not_tars', '--replicas', '2', '--no-wait'])
    expect([code, err]).toEqual([0, `Demo.HelloServer made, release ${id}\n`])
    const { spec } = await cluster.client.get(resources.tservers, { namespace, name: 'demo-helloserver' })
    expect(spec.tars).toMatchObject({ template: 'tars.nodejs', servants: [{ name: 'HelloObj', port: 18000, isTcp: true, isTars: true }, { name: 'UdpObj', port: 18001, isTcp: false, isTars: false }] })
    expect(spec.k8s.replicas).toBe(2)
    expect(spec.release).toMatchObject({ id })
  })

  test('it waits until all pods are active with the release', async () => {
    const { client } = cluster
    const deploying = run(deploy, ['--app', 'Demo', '--server', 'HelloServer', '--replicas', '1', '--servant', 'HelloObj:18000'])
    await until(async () => (await client.get(resources.tservers, { namespace, name: 'demo-helloserver' })).spec.k8s.replicas === 1)
    await setPods(client, 'Demo', 'HelloServer', [{ name: 'demo-helloserver-0', presentState: 'Activating', id }])
    await setPods(client, 'Demo', 'HelloServer', [{ name: 'demo-helloserver-0', id }])
    const { code, out } = await deploying
    expect(code).toBe(0)
    expect(out).toMatch(/Demo\.HelloServer +tars\.nodejs +\S+ +1\/1 +Active +demo-helloserver-0 +Active/)
    // What was not given stays, what was given replaces.
    const { spec } = await client.get(resources.tservers, { namespace, name: 'demo-helloserver' })
    expect(spec.tars?.servants.map(({ name, isTars }) => [name, isTars])).toEqual([['HelloObj', true]])
  })

  test('a server keeps its release until another is named', async () => {
    const { code, out } = await run(release, ['HelloServer.tgz', '--app', 'Demo', '--server', 'HelloServer', '--type', 'nodejs', '--json'])
    expect(code).toBe(0)
    const newest = (JSON.parse(out) as { id: string }).id
    const change = async (...args: string[]) => {
      const { err } = await run(deploy, ['--app', 'Demo', '--server', 'HelloServer', '--no-wait', ...args])
      const { spec } = await cluster.client.get(resources.tservers, { namespace, name: 'demo-helloserver' })
      return [err, spec.release?.id, spec.k8s.replicas]
    }
    expect(await change('--replicas', '3')).toEqual([`Demo.HelloServer changed, release ${id} (the newest is ${newest}: --release latest takes it)\n`, id, 3])
    expect(await change('--release', 'latest')).toEqual([`Demo.HelloServer changed, release ${newest}\n`, newest, 3])
    expect(await change()).toEqual([`Demo.HelloServer is unchanged, release ${newest}\n`, newest, 3])
    expect(await change('--release', id, '--replicas', '1')).toEqual([`Demo.HelloServer changed, release ${id}\n`, id, 1])
  })

  test('a variant is made as the server is, but for what is given, and changed by itself', async () => {
    const { client } = cluster
    const live = async (name: string) => (await client.get(resources.tservers, { namespace, name })).spec
    await client.patch(resources.tservers, { namespace, name: 'demo-helloserver' }, { spec: { k8s: { env: [{ name: 'A', value: '1' }] }, tars: { asyncThread: 7, instances: [{ weight: 5, set: 'mall.sz.9' }] } } }, { type: 'merge' })
    const change = async (server: string, ...args: string[]) => (await run(deploy, ['--app', 'Demo', '--server', server, '--no-wait', ...args])).err
    expect(await change('HelloServer/far', '--set', 'mall.sz.2', '--replicas', '2')).toBe(`Demo.HelloServer/far made, release ${id}\n`)
    const far = await live('demo-helloserver-far')
    expect(far).toMatchObject({ app: 'Demo', server: 'HelloServer', variant: 'far', release: { id }, tars: { template: 'tars.nodejs', asyncThread: 7, servants: [{ name: 'HelloObj', port: 18000 }], instances: [{ set: 'mall.sz.2' }] }, k8s: { replicas: 2, env: [{ name: 'A', value: '1' }] } })

    expect(await change('HelloServer', '--set', 'mall.sz.*', '--set', '0-3,7=mall.sz.1')).toMatch(/^Demo\.HelloServer changed/)
    expect((await live('demo-helloserver')).tars?.instances).toEqual([{ weight: 5 }, { set: 'mall.sz.*' }, { pods: '0-3,7', set: 'mall.sz.1' }])
    expect(await live('demo-helloserver-far')).toEqual(far)
    expect(await change('HelloServer', '--set', 'none')).toMatch(/changed/)
    expect((await live('demo-helloserver')).tars?.instances).toEqual([{ weight: 5 }])

    // Releases are the server's, whichever variant runs them.
    expect(await change('HelloServer/far', '--release', 'latest')).toMatch(/^Demo\.HelloServer\/far changed, release v\d/)
    expect((await live('demo-helloserver-far')).release?.id).not.toBe(id)
    expect((await live('demo-helloserver')).release?.id).toBe(id)
  })

  test('a variant is looked at by itself, and with its server', async () => {
    const shown = async (name: string) => JSON.parse((await run(status, [name, '--json'])).out).servers.map((one: { name: string }) => one.name)
    await until(async () => (await run(status, ['Demo'])).out.includes('Demo.HelloServer/far'))
    expect([await shown('Demo.HelloServer/far'), await shown('Demo.HelloServer')]).toEqual([['demo-helloserver-far'], ['demo-helloserver', 'demo-helloserver-far']])
    expect((await run(status, ['Demo.HelloServer/near'])).err).toContain('there is no server Demo.HelloServer/near')
  })

  test('a release without a pull secret has none of the one before', async () => {
    const { client } = cluster
    const { releases = [] } = await client.get(resources.timages, { namespace, name: 'demo-helloserver' })
    const [newest = { id: '', image: '' }, ...older] = releases
    await client.patch(resources.timages, { namespace, name: 'demo-helloserver' }, { releases: [{ ...newest, secret: 'pull' }, ...older] }, { type: 'merge' })
    const secret = async (wanted: string) => {
      await run(deploy, ['--app', 'Demo', '--server', 'HelloServer', '--no-wait', '--release', wanted])
      return (await client.get(resources.tservers, { namespace, name: 'demo-helloserver' })).spec.release?.secret
    }
    expect([await secret('latest'), await secret(id)]).toEqual(['pull', undefined])
  })

  test('what somebody else has changed meanwhile stays', async () => {
    const { client } = cluster
    const of = { namespace, name: 'demo-helloserver' }
    const known = await client.get(resources.tservers, of)
    const servants = known.spec.tars?.servants.map((servant) => ({ ...servant, capacity: 4321 }))
    await client.patch(resources.tservers, of, { spec: { tars: { servants } } }, { type: 'merge' })
    const wish = { release: undefined, template: undefined, servants: [parseServant('HelloObj:18002')], sets: undefined, replicas: undefined, profile: undefined, now: '' }
    const changed = await changeServer({ client, namespace, signal: new AbortController().signal }, known, wish)
    expect(changed.spec.tars?.servants).toMatchObject([{ name: 'HelloObj', port: 18_002, capacity: 4321 }])
  })

  test('a build whose end was overtaken by another one is not waited for', async () => {
    const place = { client: cluster.client, namespace, signal: new AbortController().signal }
    await expect(followBuild(place, 'demo-helloserver', 'overtaken', () => {})).rejects.toMatchObject({ code: 'BUILD_FAILED' })
  })

  test('it says why the pods are not active', async () => {
    const { client } = cluster
    const waiting = { name: 'c', image: 'i', imageID: '', ready: false, restartCount: 0, state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }
    await setPods(client, 'Demo', 'HelloServer', [{ name: 'demo-helloserver-0', presentState: 'ContainersNotReady', id, containerStatuses: [waiting] }])
    await until(async () => (await run(status, ['Demo'])).out.includes('ImagePullBackOff'))
    const broken = await run(deploy, ['--app', 'Demo', '--server', 'HelloServer', '--timeout', '60'])
    expect(broken.code).toBe(1)
    expect(broken.err).toMatch(/pod demo-helloserver-0 does not start: ImagePullBackOff: no such image .*tarsk8s logs demo-helloserver-0/)
    await setPods(client, 'Demo', 'HelloServer', [{ name: 'demo-helloserver-0', presentState: 'Activating', id }])
    await until(async () => (await run(status, ['Demo'])).out.includes('Activating'))
    const slow = await run(deploy, ['--app', 'Demo', '--server', 'HelloServer', '--timeout', '1'])
    expect(slow.code).toBe(1)
    expect(slow.err).toMatch(/not all pods are active after 1 s without progress; demo-helloserver-0 is: Activating/)
  })

  const imageNames = async () => (await cluster.client.list(resources.timages, { namespace })).items.map(({ metadata }) => metadata.name)

  test.each<[string, string[], number, RegExp]>([
    ['what tarsimage refuses', ['junk.tgz', '--server', 'Junk', '--type', 'nodejs'], 1, /not an archive/],
    ['a name that no TServer may have', ['HelloServer.tgz', '--server', 'S'.repeat(60), '--type', 'nodejs'], 2, /"Demo\.S+" is too long \(App and Server may have 57 characters together/],
    ['a type without a base image', ['HelloServer.tgz', '--server', 'Java', '--type', 'java-jar'], 1, /no base image for java-jar \(make one with "npx tarsk8s base java", or name one with --base-image\)/],
    ['a type whose base image the cluster does not have yet', ['HelloServer.tgz', '--server', 'Php', '--type', 'php'], 1, /no base image for php \(make one with "npx tarsk8s base php", or name one with --base-image\)/],
    ['a base image that there is not', ['HelloServer.tgz', '--server', 'Php', '--type', 'php', '--base-image', 'phpbase'], 1, /"phpbase" is neither an image reference nor a TImage of type base/],
    ['a bad tag', ['HelloServer.tgz', '--server', 'Tagged', '--type', 'nodejs', '--tag', 'a b'], 1, /ServerTag "a b" is not an image tag/],
  ])('%s is told, and leaves no TImage', async (_what, args, code, message) => {
    await writeFile(join(folder, 'junk.tgz'), 'no archive')
    const before = await imageNames()
    const outcome = await run(release, [...args, '--app', 'Demo'])
    expect(outcome.err).toMatch(message)
    expect(outcome.code).toBe(code)
    expect(await imageNames()).toEqual(before)
  })

  test('a refused package leaves the TImage that was there', async () => {
    const refused = await run(release, ['junk.tgz', '--app', 'Demo', '--server', 'HelloServer', '--type', 'nodejs'])
    expect([refused.code, (await cluster.client.get(resources.timages, { namespace, name: 'demo-helloserver' })).releases?.length]).toEqual([1, 2])
  })
})

describe('wrong usage is exit code 2, other failures 1; both say what to do', () => {
  const rows: readonly [what: string, command: Run, args: readonly string[], code: number, message: RegExp][] = [
    ['an unknown flag', status, ['--colour'], 2, /Unknown option '--colour'/],
    ['a name of three parts', status, ['a.b.c'], 2, /neither App nor App\.Server/],
    ['one name too many', status, ['a', 'b'], 2, /"b" is one argument too many/],
    ['no such server', status, ['No.Body'], 1, /there is no server No\.Body .*deploy/],
    ['no server', stop, [], 2, /an argument is missing/],
    ['a number that is none', logs, ['x', '--tail', 'many'], 2, /--tail must be a whole number/],
    ['no such server to stop', stop, ['Nope.Nope'], 1, /there is no server nope-nope \("tarsk8s status"/],
    ['no such pod', logs, ['nobody-0'], 1, /there is no pod nobody-0/],
    ['no package of that kind', release, ['a.txt', '--app', 'A', '--server', 'B', '--type', 'cpp'], 2, /its name must end in \.tgz/],
    ['no such package', release, ['none.tgz', '--app', 'A', '--server', 'B', '--type', 'cpp'], 1, /none\.tgz cannot be read/],
    ['no app', release, ['HelloServer.tgz', '--server', 'B', '--type', 'cpp'], 2, /--app is missing/],
    ['a bad app', release, ['HelloServer.tgz', '--app', '1A', '--server', 'B', '--type', 'cpp'], 2, /"1A\.B" is no server/],
    ['a type there is not', release, ['HelloServer.tgz', '--app', 'A', '--server', 'B', '--type', 'cobol'], 2, /--type cobol is unknown .*nodejs/],
    ['a bad servant', deploy, ['--app', 'A', '--server', 'B', '--servant', 'x:99999'], 2, /--servant must be NAME:PORT/],
    ['a bad set', deploy, ['--app', 'A', '--server', 'B', '--set', 'mall.sz'], 2, /--set must be \[PODS=\]NAME\.AREA\.GROUP or none, not "mall\.sz" .*--set 0-3,7=mall\.sz\.1/],
    ['a variant of a server without a release', deploy, ['--app', 'A', '--server', 'B/far'], 1, /A\.B\/far has no release/],
    ['a release of a variant', release, ['HelloServer.tgz', '--app', 'A', '--server', 'B/far', '--type', 'cpp'], 2, /releases are of A\.B, whichever variant runs them \(leave \/far out/],
    ['nothing released', deploy, ['--app', 'A', '--server', 'B'], 1, /A\.B has no release .*tarsk8s release/],
    ['no such release', deploy, ['--app', 'Demo', '--server', 'HelloServer', '--release', 'v0'], 1, /there is no release v0 \(the newest are/],
    ['a profile that is none', deploy, ['--app', 'Demo', '--server', 'HelloServer', '--profile', 'broken.conf'], 1, /broken\.conf is no configuration text: line 1/],
    ['no interface file', call, ['A.B.C', 'f'], 2, /--tars is missing/],
  ]
  test.each(rows)('%s', async (_what, command, args, code, message) => {
    await writeFile(join(folder, 'broken.conf'), '<tars>\n')
    const outcome = await run(command, args)
    expect(outcome.err).toMatch(message)
    expect([outcome.code, outcome.out]).toEqual([code, ''])
  })

  test('no cluster', async () => {
    const outcome = await run(status, ['--data', join(folder, 'nowhere')], { data: false })
    expect([outcome.code, outcome.err]).toEqual([1, expect.stringMatching(/nowhere\/cluster\.json does not exist .*tarsk8s up/)])
    await writeFile(join(folder, 'down'), JSON.stringify({ 'current-context': 'c', contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }], clusters: [{ name: 'c', cluster: { server: `https://${nobody}:6443` } }], users: [{ name: 'u', user: {} }] }))
    for (const [command, args] of [[release, ['HelloServer.tgz', '--type', 'nodejs']], [deploy, []]] as const) {
      const { err } = await run(command, [...args, '--app', 'A', '--server', 'B', '--kubeconfig', 'down'], { data: false })
      expect(err).toMatch(/the API server of the cluster does not answer: .*ECONNREFUSED .*"tarsk8s up" starts one/)
    }
    const down = await run(status, ['--admin-url', `http://${nobody}:8080`], { data: false })
    expect([down.code, down.err]).toEqual([1, expect.stringMatching(`tarsadmin does not answer at http://${nobody}:8080: .*ECONNREFUSED`)])
  })

  test.each([['status', status], ['release', release], ['deploy', deploy], ['logs', logs], ['call', call], ['stop', stop]] as const)('%s --help', async (name, command) => {
    const { code, out } = await run(command, ['--help'], { data: false })
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`^usage: tarsk8s ${name} `))
  })
})
