// tarsnode's calls by TLS, with an authority that comes late, and by an account: to a registry and a tarsconfig that serve nothing else, and over a restart.
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import type { TConfig } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { pods } from '#kube/resources.ts'
import { AdminF } from '#tars/protocol/AdminF.ts'
import { createServer } from '#tars/server.ts'
import { startConfig, type ConfigOptions } from '../../framework/config/config.ts'
import { startRegistry, type RunningRegistry } from '../../framework/registry/registry.ts'
import { parseEnvironment, type RegistryAddress } from '../../node/env.ts'
import { connectRegistry } from '../../node/registry/connect.ts'
import { DescriptorFile } from '../../node/registry/descriptor-file.ts'
import { REGISTRY_OBJ, RegistryPresence } from '../../node/registry/presence.ts'
import { createEndpoint, createPod, createTemplate, namespace, startCluster, until, type TestCluster } from '../registry/cluster.ts'
import { ownAddress } from '../rig/own-address.ts'

const openssl = (...args: readonly string[]) => promisify(execFile)('openssl', args)
const [registryAddress, configAddress, podAddress] = [ownAddress(), ownAddress(), ownAddress()]

let folder: string
let cluster: TestCluster
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-node-tls-'))
  await mkdir(join(folder, 'tls'))
  const at = (name: string): string => join(folder, name)
  await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=authority', '-keyout', at('ca.key'), '-out', at('ca.crt'))
  await writeFile(at('ext'), 'subjectAltName=DNS:tars-framework\n')
  await openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=framework', '-keyout', at('tls/tls.key'), '-out', at('csr'))
  await openssl('x509', '-req', '-in', at('csr'), '-CA', at('ca.crt'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2', '-extfile', at('ext'), '-out', at('tls/tls.crt'))
  cluster = await startCluster()
  const { client } = cluster
  await createTemplate(client, 'tars.default', 'tars.default', '<tars>\na=1\n</tars>\n')
  await createEndpoint(client, 'Demo', 'Hello', [{ name: 'Obj', port: 9000 }])
  await createEndpoint(client, 'tars', 'tarsconfig', [])
  await createPod(client, { app: 'tars', server: 'tarsconfig', name: 'tars-tarsconfig-0', ip: configAddress, state: 'Active/Active/7' })
  await createPod(client, { app: 'Demo', server: 'Hello', name: 'demo-hello-0', ip: podAddress })
  await client.create(resources.tconfigs, { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TConfig', metadata: { name: 'c', namespace }, app: 'Demo', server: 'Hello', configName: 'a.conf', configContent: 'text', podSeq: 'm', activated: true, version: 'v' } as TConfig)
})
afterAll(async () => {
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** How servants are guarded, what is said of them, and what a tarsnode is told. */
interface Guard {
  readonly serves: () => Pick<ConfigOptions, 'tls' | 'accounts'>
  readonly servant: object
  readonly env: (late: string) => Readonly<Record<string, string>>
  readonly registry: (late: string) => Partial<RegistryAddress>
}

const guards: readonly (readonly [name: string, guard: Guard])[] = [
  ['TLS', {
    serves: () => ({ tls: { folder: join(folder, 'tls'), required: true } }),
    servant: { isSsl: true },
    env: (late) => ({ TARSNODE_REGISTRY: `ssl -h ${registryAddress} -p 17890`, TARSNODE_CA: late, TARSNODE_TLS_NAME: 'tars-framework' }),
    registry: (late) => ({ tls: { caFile: late, name: 'tars-framework' } }),
  }],
  ['an account', {
    serves: () => ({ accounts: { objects: new Set(['tars.tarsregistry.QueryObj', 'tars.tarsregistry.RegistryObj', 'tars.tarsconfig.ConfigObj']), secretOf: (key) => (key === 'tars' ? 'secret' : undefined) } }),
    servant: { auth: true },
    env: () => ({ TARSNODE_REGISTRY: `tcp -h ${registryAddress} -p 17890 -e 1`, TARSNODE_ACCESS_KEY: 'tars', TARSNODE_SECRET_KEY: 'secret' }),
    registry: () => ({ auth: true }),
  }],
]

test.each(guards)('descriptor, state and configuration come and go by %s alone, and a restart of the registry is seen', async (_name, guard) => {
  const servants = [{ name: 'ConfigObj', port: 11111, thread: 3, connection: 10_000, capacity: 10_000, timeout: 60_000, isTars: true, isTcp: true, ...guard.servant }]
  await cluster.client.patch(resources.tendpoints, { namespace, name: 'tars-tarsconfig' }, { spec: { tars: { servants } } })
  const common = { client: cluster.client, namespace, log: silentLogger, signal: new AbortController().signal, ...guard.serves() }
  const start = (): Promise<RunningRegistry> => startRegistry({ ...common, address: registryAddress, hostForm: 'ip' })
  let registry = await start()
  const config = await startConfig({ ...common, address: configAddress, port: 11111, notFound: -1 })
  const late = join(folder, 'late.crt')
  await rm(late, { force: true })
  const settings = parseEnvironment({
    PodName: 'demo-hello-0', PodIP: podAddress, ServerApp: 'Demo', ServerName: 'Hello', ServerType: 'cpp', TARSNODE_ROOT: folder,
    ...guard.env(late),
  })
  expect(settings.registry).toEqual({ host: registryAddress, queryPort: 17890, registryPort: 17891, ...guard.registry(late) })
  const link = connectRegistry({ settings, address: settings.registry as RegistryAddress, file: new DescriptorFile(join(folder, 'kept'), silentLogger), log: silentLogger })
  const conditions = async (): Promise<string> => JSON.stringify((await cluster.client.get(pods, { namespace, name: 'demo-hello-0' }))['status'])
  try {
    const asked = link.descriptor(new AbortController().signal)
    await writeFile(late, await readFile(join(folder, 'ca.crt'), 'utf8'))
    expect([...(await asked).adapters.keys()]).toEqual(['Demo.Hello.ObjAdapter'])
    expect(await link.loadConfig('a.conf')).toBe('text')
    link.report({ setting: 'Active', present: 'Active', pid: 41, message: '', restarts: 0 } as never)
    await until(async () => (await conditions()).includes('Active/Active/41'))
    // It tells again what it said when the registry is back.
    await registry.stop()
    await cluster.client.patch(pods, { namespace, name: 'demo-hello-0' }, { status: { conditions: [{ type: 'tars.io/active', status: 'False', reason: 'Lost' }] } }, { type: 'strategic', subresource: 'status' })
    registry = await start()
    await until(async () => (await conditions()).includes('Active/Active/41'))
  } finally {
    await link.close(1000)
    await config.stop()
    await registry.stop()
  }
})

test('the connection that shows whether the registry is there is answered where it wants an account', async () => {
  const pinged = Promise.withResolvers<string>()
  const server = createServer({
    adapters: [{ endpoint: `tcp -h ${registryAddress} -p 0 -t 3000 -e 1`, servants: { [REGISTRY_OBJ]: { interface: AdminF, servant: { shutdown: () => {}, notify: () => '', getPid: () => 1n } } } }],
    accounts: { objects: new Set(), secretOf: () => 'secret' }, log: silentLogger, metrics: { onRequest: (_adapter, _servant, func) => pinged.resolve(func) },
  })
  await server.start()
  const presence = new RegistryPresence({ host: registryAddress, port: server.endpoints[0]?.port ?? 0, tls: undefined, account: { accessKey: 'tars', secretKey: 'secret' }, onReturn: () => {} })
  try {
    presence.start()
    expect(await pinged.promise).toBe('tars_ping')
  } finally {
    presence.stop()
    await server.stop()
  }
})
