// NetworkPolicies of both charts: what they let through, that API servers take them, and that they are complete: a framework of which
// every role runs listens where it declares, and connects to whom it declares.
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeLabel } from '#api/names.ts'
import { frameworkRoles, type FrameworkRole } from '#api/seed/servers.ts'
import { resources } from '#api/resources.ts'
import { networkPolicies, nodes } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { Communicator } from '#tars/client.ts'
import { AdminReg, type AdminRegProxy } from '#tars/protocol/AdminReg.ts'
import { createMonitorQueryReq, MonitorQuery, type MonitorQueryProxy } from '#tars/protocol/MonitorQuery.ts'
import { networks, type ChartName } from '../../framework/charts/charts.ts'
import { layerFromFiles } from '../../imagebuilder/layer.ts'
import { behaviourCluster, embedded, eventually } from '../rig/kube.ts'
import { ownAddress } from '../rig/own-address.ts'
import { createPod, namespace, startCluster, type TestCluster } from '../registry/cluster.ts'
import { allows, type End } from './network-policy.ts'
import type { RoleData, RoleWord } from './role-thread.ts'
import { HELM_BUILD_MS, helmProgram, named, packCharts, rendered } from './rig.ts'

const given: Readonly<Record<ChartName, readonly string[]>> = { tarscontroller: ['controller.registry=r.test'], tarsframework: ['framework.registry=r.test', 'upload.registry=r.test'] }
const on = 'networkPolicy.enabled=true'

let folder: string
let charts: Readonly<Record<ChartName, string>>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-network-'))
  charts = await packCharts(folder, '1.2.3')
  await helmProgram()
}, HELM_BUILD_MS)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The policies that a chart makes of values. */
async function policiesOf(chart: ChartName, values: readonly string[], home = 'prod', strings: readonly string[] = []): Promise<AnyObject[]> {
  const objects = await rendered(folder, charts[chart], [...given[chart], ...values], { namespace: home, strings })
  return objects.filter(({ kind }) => kind === 'NetworkPolicy')
}

const podOf = (app: string, server: string, home = 'prod'): End => ({ namespace: home, labels: { 'tars.io/ServerApp': app, 'tars.io/ServerName': server } })
const roleAt = (server: string, home = 'prod'): End => podOf('tars', server, home)
const hello = podOf('Demo', 'Hello')
const stranger: End = { namespace: 'other', labels: { app: 'web' } }
const outside: End = { address: '10.9.9.9' }

describe('values', () => {
  it('make no policy unless they are asked for', async () => {
    expect(await policiesOf('tarscontroller', [])).toEqual([])
    expect(await policiesOf('tarsframework', [])).toEqual([])
  })

  it('give every role one, and the tarsnodes of services', async () => {
    const made = await policiesOf('tarsframework', [on])
    expect(made.map(({ metadata }) => metadata.name).toSorted()).toEqual([...frameworkRoles.map((role) => `tars-tars${role}`), 'tars-tarsnode'].toSorted())
    expect((await policiesOf('tarscontroller', [on])).map(({ metadata }) => [metadata.namespace, metadata.name])).toEqual([['tars-system', 'tars-controller']])
    expect((await policiesOf('tarsframework', [on, 'networkPolicy.tarsnode=false'])).map(({ metadata }) => metadata.name)).not.toContain('tars-tarsnode')
  })

  it('let services reach what they need, and nothing that commands or shows more', async () => {
    const policies = await policiesOf('tarsframework', [on])
    const reaches = (from: End, server: string, port: number): boolean => allows(policies, { from, to: roleAt(server), port })
    const theirs = [['tarsregistry', 17890], ['tarsregistry', 17891], ['tarsconfig', 11111], ['tarsnotify', 13111], ['tarslog', 12111], ['tarsstat', 17000], ['tarsproperty', 14000]] as const
    const others = [['tarsadmin', 8080], ['tarsimage', 80], ['tarsAdminRegistry', 19111], ['tarsstat', 17001], ['tarsproperty', 14001], ['tarsnotify', 13112], ['tarsquerystat', 16000], ['tarsqueryproperty', 15002], ['tarskevent', 17101], ['tarslog', 13030]] as const
    for (const [server, port] of theirs) expect([server, port, reaches(hello, server, port), reaches(stranger, server, port), reaches(outside, server, port)]).toEqual([server, port, true, false, false])
    for (const from of [hello, stranger, outside]) for (const [server, port] of others) expect([server, port, reaches(from, server, port)]).toEqual([server, port, false])
    // One role does not reach another that it does not call.
    expect(reaches(roleAt('tarsquerystat'), 'tarsstat', 17001)).toBe(true)
    expect(reaches(roleAt('tarsquerystat'), 'tarsproperty', 14001)).toBe(false)
    expect(reaches(roleAt('tarslog'), 'tarsconfig', 11111)).toBe(false)
    expect(reaches(podOf('tars', 'tarsgateway'), 'tarsconfig', 11111)).toBe(true)
  })

  it('let nobody but those that operate command a tarsnode; all else of a service is its own', async () => {
    const policies = await policiesOf('tarsframework', [on])
    const reaches = (from: End, port: number, protocol: 'TCP' | 'UDP' = 'TCP'): boolean => allows(policies, { from, to: hello, port, protocol })
    for (const from of [stranger, podOf('Demo', 'Other'), outside]) {
      expect([1, 10001, 19384, 19386, 65535].map((port) => reaches(from, port))).toEqual([true, true, true, true, true])
      expect([reaches(from, 19385), reaches(from, 10002, 'UDP')]).toEqual([false, true])
    }
    expect([roleAt('tarsadmin'), roleAt('tarsAdminRegistry'), roleAt('tarsstat')].map((from) => reaches(from, 19385))).toEqual([true, true, false])
  })

  it('name further callers by what they may do', async () => {
    const peers = (who: string, index: number): string => `networkPolicy.${who}[0].namespaceSelector.matchLabels.kubernetes\\.io/metadata\\.name=n${index}`
    const policies = await policiesOf('tarsframework', [on, peers('operators', 1), peers('metrics', 2), peers('services', 3), 'networkPolicy.services[1].ipBlock.cidr=10.9.0.0/16', 'servers.registry.env[0].name=TARSREGISTRY_HEALTH_PORT'], 'prod', ['servers.registry.env[0].value=17899'])
    const from = (index: number): End => ({ namespace: `n${index}`, labels: {} })
    const reached = (who: End): string[] => ([['tarsadmin', 8080], ['tarsimage', 80], ['tarsquerystat', 16000], ['tarsstat', 17001], ['tarsregistry', 17899], ['tarsstat', 17000], ['tarsregistry', 17890]] as const).filter(([server, port]) => allows(policies, { from: who, to: roleAt(server), port })).map(([server, port]) => `${server}:${port}`)
    expect(reached(from(1))).toEqual(['tarsadmin:8080', 'tarsimage:80', 'tarsquerystat:16000', 'tarsregistry:17890'])
    expect(reached(from(2))).toEqual(['tarsstat:17001', 'tarsregistry:17899'])
    expect(reached(from(3))).toEqual(['tarsstat:17000', 'tarsregistry:17890'])
    expect(reached(outside)).toEqual(['tarsstat:17000', 'tarsregistry:17890'])
    expect(reached(from(4))).toEqual([])
  })

  it('let a role go where its settings send it, and no further', async () => {
    const env = (role: string, name: string, value: string): string[] => [`servers.${role}.env[0].name=${name}`, `servers.${role}.env[0].value=${value}`]
    const goes = (policies: readonly AnyObject[], server: string): number[] => [53, 443, 6443, 4318, 8443, 9093, 9200, 5000].filter((port) => allows(policies, { from: roleAt(server), to: outside, port }))
    const plain = await policiesOf('tarsframework', [on])
    for (const server of ['tarsregistry', 'tarsconfig', 'tarsstat', 'tarsnotify', 'tarslog']) expect([server, goes(plain, server)]).toEqual([server, [53, 443, 6443]])
    expect(goes(plain, 'tarsimage')).toEqual([53, 443, 6443, 4318, 8443, 9093, 9200, 5000])
    const set = await policiesOf('tarsframework', [
      on, 'elk.nodes={es-0:9200,es-1:9200}', ...env('notify', 'TARSNOTIFY_WEBHOOK', 'http://alerts.test:9093/api/v2/alerts'), ...env('log', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'http://[::1]:4318'),
      'networkPolicy.apiServer.ports={8443}', 'networkPolicy.apiServer.cidrs={10.9.9.9/32}', 'networkPolicy.egress.registry[0].to[0].ipBlock.cidr=10.9.0.0/16', 'networkPolicy.egress.registry[0].ports[0].port=5000',
    ])
    expect(['tarsstat', 'tarsquerystat', 'tarskevent'].map((server) => goes(set, server))).toEqual([[53, 8443, 9200], [53, 8443, 9200], [53, 8443, 9200]])
    expect([goes(set, 'tarsnotify'), goes(set, 'tarslog'), goes(set, 'tarsregistry'), goes(set, 'tarsconfig')]).toEqual([[53, 8443, 9093, 9200], [53, 4318, 8443], [53, 8443, 5000], [53, 8443]])
    expect(allows(set, { from: roleAt('tarsconfig'), to: { address: '10.9.9.8' }, port: 8443 })).toBe(false)
    // Addresses that say no port, or something after it.
    const addressed = await policiesOf('tarsframework', [on, 'elk.nodes={http://es-0:9200/path,https://es-5000,http://es-4318:8443/,[fd00::7]:9093}', 'networkPolicy.apiServer.ports={6443}'])
    expect(goes(addressed, 'tarsstat')).toEqual([53, 443, 6443, 8443, 9093, 9200])
  })

  it('let API servers reach the webhooks from wherever they are, and only gatherers the metrics', async () => {
    const policies = await policiesOf('tarscontroller', [on])
    const controller: End = { namespace: 'tars-system', labels: { 'tars.io/Controller': 'true' } }
    expect([9443, 8081].map((port) => allows(policies, { from: outside, to: controller, port }))).toEqual([true, false])
    const scraped = await policiesOf('tarscontroller', [on, 'networkPolicy.metrics[0].podSelector.matchLabels.app=prometheus'])
    expect(allows(scraped, { from: { namespace: 'tars-system', labels: { app: 'prometheus' } }, to: controller, port: 8081 })).toBe(true)
    expect([443, 6443, 80].map((port) => allows(policies, { from: controller, to: outside, port }))).toEqual([true, true, false])
  })

  it.each<readonly [ChartName, string, RegExp]>([
    ['tarsframework', 'networkPolicy.operators[0].podSelektor.x=y', /\/networkPolicy\/operators\/0/],
    ['tarsframework', 'networkPolicy.apiServer.cidrs={10.0.0.1}', /\/networkPolicy\/apiServer\/cidrs\/0/],
    ['tarsframework', 'networkPolicy.egress.regitry[0].to=x', /\/networkPolicy\/egress.*regitry/],
    ['tarscontroller', 'networkPolicy.operators={}', /\/networkPolicy.*operators/],
    ['tarscontroller', 'networkPolicy.dnsPorts={0}', /\/networkPolicy\/dnsPorts\/0/],
  ])('%s %s is refused by name', async (chart, value, says) => {
    await expect(policiesOf(chart, [value])).rejects.toThrow(says)
  })
})

it('API servers take them as they are', async () => {
  const cluster = await behaviourCluster()
  try {
    const home = await cluster.namespace()
    const made: AnyObject[] = [...await policiesOf('tarsframework', [on, 'elk.nodes={es-0:9200}'], home), ...(await policiesOf('tarscontroller', [on])).map((policy) => ({ ...policy, metadata: { ...policy.metadata, namespace: home } }))]
    for (const policy of made) {
      const { spec } = await cluster.client.create(networkPolicies, policy)
      expect({ name: policy.metadata.name, spec }).toMatchObject({ name: policy.metadata.name, spec: policy['spec'] as object })
    }
  } finally {
    await cluster.stop()
  }
})

/** Ports that this machine listens on at an address. */
function listening(address: string): number[] {
  const hex = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0')).reverse().join('').toUpperCase()
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/))
  return rows.filter(([, local, , state]) => state === '0A' && local?.startsWith(`${hex}:`)).map(([, local]) => Number.parseInt(local?.split(':')[1] ?? '', 16)).toSorted((a, b) => a - b)
}

/** Modules of roles that are not `framework/<role>/role.ts`. */
const modules: Partial<Record<FrameworkRole, string>> = { querystat: 'framework/query/querystat.ts', queryproperty: 'framework/query/queryproperty.ts', image: 'imagebuilder/role.ts', adminregistry: 'framework/admin/adminreg/role.ts' }

describe.runIf(embedded)('a framework that runs', () => {
  const addresses = Object.fromEntries(frameworkRoles.map((role) => [role, ownAddress()])) as Record<FrameworkRole, string>
  const [service, node] = [ownAddress(), ownAddress()]
  const threads: Worker[] = []
  const seen = new Set<string>()
  const communicator = new Communicator({ timeoutMs: 60_000 })
  /** What the chart says of ports. */
  const env: Partial<Record<FrameworkRole, Readonly<Record<string, string>>>> = {}
  let cluster: TestCluster
  let policies: AnyObject[]
  let apiPort: number

  /** Starts a role in a thread of its own, as each has a process of its own; resolves when it serves. */
  const startRole = async (role: FrameworkRole, variables: Readonly<Record<string, string>>): Promise<void> => {
    const data: RoleData = { module: join(import.meta.dirname, '../..', modules[role] ?? `framework/${role}/role.ts`), env: variables }
    const thread = new Worker(join(import.meta.dirname, 'role-thread.ts'), { workerData: data })
    threads.push(thread)
    const serving = Promise.withResolvers<void>()
    thread.on('error', serving.reject)
    thread.on('message', (word: RoleWord) => {
      if ('serves' in word) serving.resolve()
      else seen.add(`${role} ${word.connects.join(':')}`)
    })
    await serving.promise
  }

  beforeAll(async () => {
    cluster = await startCluster()
    apiPort = Number(new URL(cluster.api.config.server).port)
    const objects = await rendered(folder, charts.tarsframework, [...given.tarsframework, on, `networkPolicy.apiServer.ports={${apiPort}}`], { namespace })
    policies = objects.filter(({ kind }) => kind === 'NetworkPolicy')
    const kubeconfig = join(folder, 'kubeconfig.json')
    await writeFile(kubeconfig, cluster.api.kubeconfig())
    const layer = await layerFromFiles([{ path: '/tarsnode/x', content: 'x' }], join(folder, 'supervisor.tar.gz'))
    await writeFile(join(folder, 'supervisor.json'), JSON.stringify({ ...layer, entrypoint: ['/x'] }))
    for (const role of frameworkRoles) {
      const server = named(objects, 'TServer', `tars-tars${role}`)
      const { app, server: name, tars, normal, subType, k8s } = server['spec']
      env[role] = Object.fromEntries((k8s.env as { name: string; value?: string }[]).filter((one) => one.name.endsWith('_PORT')).map((one) => [one.name, one.value ?? '']))
      await cluster.client.create(resources.tservers as unknown as Resource, server)
      const pod = `${server.metadata.name}-0`
      await createPod(cluster.client, { app, server: name, name: pod, ip: addresses[role], state: 'Active/Active/7' })
      await serves(app, name, pod, addresses[role], { subType, ...(tars === undefined ? { normal } : { tars }) })
    }
    const servants = [{ name: 'Obj', port: 18000, isTcp: true, isTars: true, timeout: 3000, weightType: 'dynamic' }]
    await cluster.client.create(resources.tservers as unknown as Resource, { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TServer', metadata: { name: 'demo-hello', namespace }, spec: { app: 'Demo', server: 'Hello', subType: 'tars', tars: { template: 'tars.default', servants }, k8s: { replicas: 1 }, release: { id: 'v1', image: 'x' } } })
    await createPod(cluster.client, { app: 'Demo', server: 'Hello', name: 'demo-hello-0', ip: service, state: 'Active/Active/7' })
    await serves('Demo', 'Hello', 'demo-hello-0', service, { subType: 'tars', tars: { template: 'tars.default', servants } })
    await cluster.client.create(nodes, { metadata: { name: 'n1', labels: { [nodeLabel(namespace)]: '' } } } as AnyObject)
    await cluster.client.patch(nodes, { name: 'n1' }, { status: { addresses: [{ type: 'InternalIP', address: node }] } }, { type: 'merge', subresource: 'status' })
    for (const role of frameworkRoles) {
      await startRole(role, { KUBECONFIG: kubeconfig, Namespace: namespace, PodName: `tars-tars${role}-0`, PodIP: addresses[role], TARSSTORE_DATA: join(folder, role), TARSLOG_PATH: join(folder, 'logs'), TARSREGISTRY_ENDPOINT_HOST: 'ip', TARSREGISTRY_LOAD_SECONDS: '1', TARSIMAGE_WORKSPACE: join(folder, 'image'), TARSIMAGE_SUPERVISOR: join(folder, 'supervisor.json'), ...env[role] })
    }
  })
  afterAll(async () => {
    await communicator.close()
    await Promise.all(threads.map((thread) => {
      thread.postMessage('stop')
      return once(thread, 'exit')
    }))
    await cluster?.stop()
  })

  async function serves(app: string, server: string, pod: string, podIP: string, spec: object): Promise<void> {
    const endpoint = { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TEndpoint', metadata: { name: `${app}-${server}`.toLowerCase(), namespace }, spec: { app, server, ...spec } }
    await cluster.client.create(resources.tendpoints as unknown as Resource, endpoint)
    const status = { pods: [{ uid: pod, name: pod, podIP, settingState: 'Active', presentState: 'Active', pid: '9', id: 'v1', startTime: '2026-01-01T00:00:00Z' }] }
    await cluster.client.patch(resources.tendpoints as unknown as Resource, { namespace, name: endpoint.metadata.name }, { status }, { type: 'merge', subresource: 'status' })
  }

  const serverOf = (role: string): string => (role === 'adminregistry' ? 'tarsAdminRegistry' : `tars${role}`)
  /** Name of what has an address. */
  const nameAt = (address: string, port: number): string => {
    if (port === apiPort) return 'api'
    if (address === service) return port === 19385 ? 'tarsnode' : 'service'
    if (address === node) return 'agent'
    return frameworkRoles.find((role) => addresses[role] === address) ?? address
  }

  it.each(frameworkRoles)('%s listens where it declares, and nowhere else', (role) => {
    const ports = [...declaredPorts(role)].toSorted((a, b) => a - b)
    expect(listening(addresses[role])).toEqual(ports)
  })

  /** Ports that a role declares, in this environment. */
  function declaredPorts(role: FrameworkRole): Set<number> {
    const served = Object.entries(networks.tarsframework[role]?.serves ?? {})
    const spec = servedSpec(role)
    return new Set(served.flatMap(([name, { port, env: names = [] }]) => names.map((one) => Number(env[role]?.[one])).find((number) => number > 0) ?? port ?? spec.find((one) => one.name === name)?.port ?? []))
  }

  function servedSpec(role: FrameworkRole): { readonly name: string; readonly port: number }[] {
    const { tars, normal } = serversByRole.get(role) as { tars?: { servants: { name: string; port: number }[] }; normal?: { ports: { name: string; port: number }[] } }
    return tars?.servants ?? normal?.ports ?? []
  }
  const serversByRole = new Map<FrameworkRole, unknown>()
  beforeAll(async () => {
    for (const role of frameworkRoles) serversByRole.set(role, (await cluster.client.get(resources.tservers as unknown as Resource, { namespace, name: `tars-tars${role}` }))['spec'])
  })

  it('connects to whom it declares, as the policies let it', async () => {
    const url = `http://${addresses.admin}:8080/api/v1`
    const question = createMonitorQueryReq({ dataid: 'tars_stat', date: '20260101', tflag1: '0000', tflag2: '2360', indexs: ['succ_count'], groupby: ['f_tflag'] })
    const reg = communicator.proxy<AdminRegProxy>(AdminReg, `tars.tarsAdminRegistry.AdminRegObj@tcp -h ${addresses.adminregistry} -p 19111`)
    await eventually(async () => (await fetch(`${url}/servers/tars-tarsnotify/notifications`)).ok || undefined, 'tarsadmin asks tarsnotify')
    await fetch(`${url}/servers/demo-hello/restart`, { method: 'POST' })
    await fetch(`${url}/host-ports?port=1`)
    await communicator.proxy<MonitorQueryProxy>(MonitorQuery, `tars.tarsquerystat.QueryObj@tcp -h ${addresses.querystat} -p 16000`).query(question)
    await communicator.proxy<MonitorQueryProxy>(MonitorQuery, `tars.tarsqueryproperty.QueryObj@tcp -h ${addresses.queryproperty} -p 15000`).query({ ...question, dataid: 'tars_property', indexs: ['value'] })
    await reg.pingNode('demo-hello-0')
    const { servers } = await reg.getServers()
    for (const server of servers) await reg.checkServer(server)
    await eventually(() => [...seen].some((one) => one === `registry ${addresses.querystat}:16000`) || undefined, 'tarsregistry asks for loads')

    const connections = () => [...seen].map((text) => {
      const [, from = '', address = '', port = ''] = /^(\S+) (.+):(\d+)$/.exec(text) ?? []
      return { from, address, port: Number(port), name: nameAt(address, Number(port)) }
    })
    // Nothing is declared that none of them does, but where settings lead.
    const declared = Object.entries(networks.tarsframework).flatMap(([role, { calls = [] }]) => calls.flatMap((callee) => {
      if ('role' in callee) return [`${role} ${callee.role}:${servedSpec(callee.role as FrameworkRole).find(({ name }) => name === callee.port)?.port ?? networks.tarsframework[callee.role]?.serves?.[callee.port]?.port}`]
      return 'env' in callee || ['elastic', 'anywhere'].includes(callee.to) ? [] : [`${role} ${callee.to}`]
    }))
    const made = () => connections().map(({ from, name, port }) => (frameworkRoles.some((role) => role === name) ? `${from} ${name}:${port}` : `${from} ${name}`))
    await expect.poll(() => [...new Set(declared)].filter((one) => !made().includes(one))).toEqual([])

    const refused = connections().filter(({ from, address, port, name }) => {
      const pod = frameworkRoles.find((role) => role === name)
      const to = pod !== undefined ? roleAt(serverOf(pod), namespace) : name === 'tarsnode' || name === 'service' ? podOf('Demo', 'Hello', namespace) : { address }
      return !allows(policies, { from: roleAt(serverOf(from), namespace), to, port })
    })
    expect(refused).toEqual([])
  })
})
