// Who speaks for whom: each function by which a pod could write or read what is another server's, called from the pod itself, from another
// one, from one on its node's network, and from an address that is no pod's.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { completeServer } from '#api/default.ts'
import { resources } from '#api/resources.ts'
import type { TConfig } from '#api/types.ts'
import type { Running } from '#base/lifecycle.ts'
import { createLogger, silentLogger } from '#base/log.ts'
import { callerEnv, CallerCheck } from '#kube/caller-check.ts'
import { watchCallers, type Callers } from '#kube/callers.ts'
import { pods } from '#kube/resources.ts'
import { Communicator } from '#tars/client.ts'
import { AdminReg, createAdapterConf, createPatchRequest, createPluginConf, createServerConf, createTaskItemReq, createTaskReq, type AdminRegProxy } from '#tars/protocol/AdminReg.ts'
import { Config, createConfigInfo, createGetConfigListInfo, type ConfigProxy } from '#tars/protocol/ConfigF.ts'
import { createLogInfo, Log, type LogProxy } from '#tars/protocol/LogF.ts'
import { LogView, type LogViewProxy } from '#tars/protocol/LogView.ts'
import { createReportInfo, Notify, type NotifyProxy } from '#tars/protocol/NotifyF.ts'
import { Registry, type RegistryProxy } from '#tars/protocol/Registry.ts'
import { start as startAdminRegistry } from '../../framework/admin/adminreg/role.ts'
import { start as startAdmin } from '../../framework/admin/role.ts'
import { start as startConfig } from '../../framework/config/role.ts'
import { start as startLog } from '../../framework/log/role.ts'
import { start as startNotify } from '../../framework/notify/role.ts'
import { start as startRegistry } from '../../framework/registry/role.ts'
import { createEndpoint, createPod, createTemplate, namespace, startCluster, until, type TestCluster } from '../registry/cluster.ts'
import { ownAddress } from '../rig/own-address.ts'

/** Addresses of callers: pods of Mall.Shop and of Demo.Evil, a node with a pod of Mall.Host on its network, and nobody's. */
const at = { shop: ownAddress(), evil: ownAddress(), node: ownAddress(), nobody: ownAddress(), framework: ownAddress() } as const
type Who = keyof typeof at

let cluster: TestCluster
let folder: string
const communicators = Object.fromEntries(Object.entries(at).map(([who, localAddress]) => [who, new Communicator({ timeoutMs: 60_000, localAddress })])) as Record<Who, Communicator>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-callers-'))
  cluster = await startCluster()
  const { client } = cluster
  await createTemplate(client, 'tars.default', 'tars.default', '<tars>\n</tars>\n')
  for (const [app, server] of [['Mall', 'Shop'], ['Demo', 'Evil']] as const) await createEndpoint(client, app, server, [{ name: 'Obj', port: 9000 }])
  await createPod(client, { app: 'Mall', server: 'Shop', name: 'mall-shop-0', ip: at.shop })
  await createPod(client, { app: 'Demo', server: 'Evil', name: 'demo-evil-0', ip: at.evil })
  await createPod(client, { app: 'Mall', server: 'Host', name: 'mall-host-0', ip: at.node, hostNetwork: true })
  await createPod(client, { app: 'tars', server: 'tarsadmin', name: 'tars-tarsadmin-0', ip: at.framework })
  for (const app of ['Mall', 'Demo']) await client.create(resources.tconfigs, { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TConfig', metadata: { name: `${app}-secret`.toLowerCase(), namespace }, app, server: 'Shop', configName: 'secret.conf', configContent: `of ${app}`, podSeq: 'm', activated: true, version: 'v' } as TConfig)
})
afterAll(async () => {
  for (const communicator of Object.values(communicators)) await communicator.close()
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
})

const starts = { config: startConfig, log: startLog, notify: startNotify, registry: startRegistry, admin: startAdmin, adminregistry: startAdminRegistry } as const
/** A role by its environment, while something is seen. */
async function withRole<T>(role: keyof typeof starts, env: Readonly<Record<string, string>>, see: (address: string) => Promise<T>): Promise<T> {
  const address = ownAddress()
  await writeFile(join(folder, 'kubeconfig'), cluster.api.kubeconfig())
  const running: Running = await starts[role]({ env: { KUBECONFIG: join(folder, 'kubeconfig'), Namespace: namespace, PodIP: address, TARSSTORE_DATA: join(folder, 'store'), TARSLOG_PATH: join(folder, 'logs'), TARSLOG_HEALTH_PORT: '1200', TARSCONFIG_HEALTH_PORT: '1200', TARSREGISTRY_HEALTH_PORT: '1200', ...env }, log: silentLogger, signal: new AbortController().signal })
  try {
    return await see(address)
  } finally {
    await running.stop()
  }
}

/** What is refused, of callers and what they do. */
async function outcomes(act: (who: Who) => Promise<boolean>): Promise<Record<Who, boolean>> {
  return Object.fromEntries(await Promise.all((Object.keys(at) as Who[]).map(async (who) => [who, await act(who)]))) as Record<Who, boolean>
}
const taken = (call: Promise<unknown>): Promise<boolean> => call.then(() => true, () => false)
const strict = { TARS_CALLERS: 'enforce', TARS_CALLERS_TRUSTED: 'none' } as const

describe('tarslog', () => {
  const writes: readonly (readonly [string, (log: LogProxy, app: string, server: string) => Promise<unknown>])[] = [
    ['logger', (log, app, server) => log.logger(app, server, 'f', '%Y', ['x\n'])],
    ['loggerbyInfo', (log, app, server) => log.loggerbyInfo(createLogInfo({ appname: app, servername: server, sFilename: 'f', sFormat: '%Y' }), ['x\n'])],
    ['loggerbyInfo of traces', (log, app, server) => log.loggerbyInfo(createLogInfo({ appname: app, servername: server, sFilename: '_t_trace_', sFormat: '%Y' }), ['a|b\n'])],
  ]
  test.each(writes)('%s: only a pod of the server writes its logs; who is no pod is believed unless nobody trusts it', async (_name, write) => {
    const as = (address: string, who: Who, app: string, server: string) => taken(write(communicators[who].proxy<LogProxy>(Log, `tars.tarslog.LogObj@tcp -h ${address} -p 12111`), app, server))
    await withRole('log', {}, async (address) => {
      expect(await outcomes((who) => as(address, who, 'Mall', 'Shop'))).toEqual({ shop: true, evil: false, node: false, nobody: true, framework: false })
      expect(await outcomes((who) => as(address, who, 'Mall', 'Host'))).toEqual({ shop: false, evil: false, node: true, nobody: true, framework: false })
      expect(await outcomes((who) => as(address, who, 'No', 'Server'))).toEqual({ shop: true, evil: true, node: true, nobody: true, framework: true })
    })
    await withRole('log', strict, async (address) => {
      expect(await outcomes((who) => as(address, who, 'Mall', 'Shop'))).toEqual({ shop: true, evil: false, node: false, nobody: false, framework: false })
    })
    await withRole('log', { ...strict, TARS_CALLERS_TRUSTED: `${at.nobody}/32` }, async (address) => {
      expect(await outcomes((who) => as(address, who, 'Mall', 'Shop'))).toMatchObject({ shop: true, evil: false, nobody: true })
    })
    await withRole('log', { TARS_CALLERS: 'off' }, async (address) => {
      expect(Object.values(await outcomes((who) => as(address, who, 'Mall', 'Shop')))).toEqual([true, true, true, true, true])
    })
  })

  test('log: all is written, and said to be what would be refused', async () => {
    await withRole('log', { ...strict, TARS_CALLERS: 'log' }, async (address) => {
      expect(Object.values(await outcomes((who) => taken(communicators[who].proxy<LogProxy>(Log, `tars.tarslog.LogObj@tcp -h ${address} -p 12111`).logger('Mall', 'Shop', 'g', '%Y', ['x\n']))))).toEqual([true, true, true, true, true])
      const metrics = await (await fetch(`http://${address}:1200/metrics`)).text()
      expect(metrics).toContain('tars_callers_refused_total{reason="foreign",mode="log"} 3\n')
      expect(metrics).toContain('tars_callers_refused_total{reason="stranger",mode="log"} 1\n')
    })
    expect(await readdir(join(folder, 'logs', 'Mall', 'Shop'))).toContain(`Mall.Shop_g_${new Date().getFullYear()}.log`)
  })

  test('traces: a line tells of its writer\'s own side of a call, and is one line', async () => {
    await withRole('log', {}, async (address) => {
      const line = (moment: string, master: string, slave: string) => `t|trace|span-${moment}-${master}|parent|${moment}|${master}|${slave}|f|1|0||\n`
      const [foreign, own] = [[line('cs', 'Mall.Shop', 'Demo.Evil.Obj'), line('te', 'Mall.Shop.set', 'x'), line('sr', 'Demo.Evil', 'Mall.Shop.Obj')], [line('cs', 'Demo.Evil', 'Mall.Shop.Obj'), line('ss', 'Mall.Shop', 'Demo.Evil.Obj'), 'no line of a trace\n']]
      const log = communicators.evil.proxy<LogProxy>(Log, `tars.tarslog.LogObj@tcp -h ${address} -p 12111`)
      await log.loggerbyInfo(createLogInfo({ appname: 'Demo', servername: 'Evil', sFilename: '_t_trace_', sFormat: 'own' }), [...foreign, ...own, 'x\nmall-shop-0|Mall|Shop|faked\n'], { context: { node_name: 'x\nmall-shop-0|Mall|Shop|faked' } })
      // Nobody else's place, as no server has that name; but not anybody's.
      for (const call of [log.logger('_tars_', '_trace_', '_t_trace_', 'own', ['faked\n']), log.loggerbyInfo(createLogInfo({ appname: '/tars/', servername: '_trace_', sFilename: '_t_trace', sConcatStr: '_', sFormat: 'own' }), ['faked\n'])]) await expect(call).rejects.toThrow('only traces are written there')
      await log.loggerbyInfo(createLogInfo({ appname: 'Demo\nmall-shop-0|Mall', servername: 'Shop', sFilename: '_t_trace_', sFormat: 'own' }), own.slice(2))
    })
    const text = await readFile(join(folder, 'logs/_tars_/_trace_/_tars_._trace___t_trace__own.log'), 'utf8')
    expect(text.trimEnd().split('\n')).toEqual([
      'x?mall-shop-0?Mall?Shop?faked|Demo|Evil|t|trace|span-cs-Demo.Evil|parent|cs|Demo.Evil|Mall.Shop.Obj|f|1|0||',
      'x?mall-shop-0?Mall?Shop?faked|Demo|Evil|t|trace|span-ss-Mall.Shop|parent|ss|Mall.Shop|Demo.Evil.Obj|f|1|0||',
      'x?mall-shop-0?Mall?Shop?faked|Demo|Evil|no line of a trace',
      'x?mall-shop-0?Mall?Shop?faked|Demo|Evil|x mall-shop-0|Mall|Shop|faked',
      `${at.evil}|Demo?mall-shop-0?Mall|Shop|no line of a trace`,
    ])
  })

  test('LogViewObj: a pod reads the logs of its application, also of a server without pods, and the framework those of all', async () => {
    await withRole('log', { TARS_CALLERS: 'off' }, async (address) => {
      for (const server of ['Shop', 'Gone']) await communicators.shop.proxy<LogProxy>(Log, `tars.tarslog.LogObj@tcp -h ${address} -p 12111`).logger('Mall', server, 'v', '%Y', ['secret\n'])
    })
    await withRole('log', strict, async (address) => {
      const view = (who: Who) => communicators[who].proxy<LogViewProxy>(LogView, `tars.tarslog.LogViewObj@tcp -h ${address} -p 13030`)
      for (const server of ['Shop', 'Gone']) {
        const file = `Mall.${server}_v_${new Date().getFullYear()}.log`
        const mayRead = { shop: true, evil: false, node: true, nobody: false, framework: true }
        expect(await outcomes(async (who) => (await view(who).getLogFileList('Mall', server)).logFileList.includes(file))).toEqual(mayRead)
        expect(await outcomes(async (who) => (await view(who).getLogData('Mall', server, file, 'tail -1 x')).fileData.includes('secret'))).toEqual(mayRead)
      }
    })
  })

  test('a pod that has just come is asked for before it is refused', async () => {
    const address = ownAddress()
    await withRole('log', strict, async (host) => {
      const communicator = new Communicator({ timeoutMs: 60_000, localAddress: address })
      const log = communicator.proxy<LogProxy>(Log, `tars.tarslog.LogObj@tcp -h ${host} -p 12111`)
      await createPod(cluster.client, { app: 'Mall', server: 'Shop', name: 'mall-shop-9', ip: address })
      expect(await taken(log.logger('Mall', 'Shop', 'h', '%Y', ['x\n']))).toBe(true)
      await communicator.close()
      await cluster.client.delete(pods, { namespace, name: 'mall-shop-9' })
    })
  })
})

test('tarsnotify: only a pod of a server notifies of it, by each function, and what is refused uses up no allowance', async () => {
  await withRole('notify', { TARSNOTIFY_LIMIT: '300:3' }, async (address) => {
    const proxy = (who: Who) => communicators[who].proxy<NotifyProxy>(Notify, `tars.tarsnotify.NotifyObj@tcp -h ${address} -p 13111`)
    const sends: readonly ((notify: NotifyProxy, text: string) => Promise<unknown>)[] = [
      (notify, text) => notify.reportServer('Mall.Shop', '', text),
      (notify, text) => notify.notifyServer('Mall.Shop', 2, text),
      (notify, text) => notify.reportNotifyInfo(createReportInfo({ sApp: 'Mall', sServer: 'Shop', sMessage: text })),
      (notify, text) => notify.reportNotifyInfo(createReportInfo({ sApp: '', sServer: 'Mall.Shop', sMessage: text })),
    ]
    for (const send of sends) for (let i = 0; i < 3; i++) expect(await outcomes((who) => (who === 'nobody' || who === 'shop' ? Promise.resolve(true) : taken(send(proxy(who), who))))).toEqual({ shop: true, evil: false, node: false, nobody: true, framework: false })
    for (const send of sends.slice(0, 3)) expect(await taken(send(proxy('shop'), 'mine'))).toBe(true)
    const { stInfo } = await proxy('shop').getNotifyInfo({ name: 'Mall.Shop', ip: '', page: 0 })
    expect(stInfo.notifyItems.map(({ sMessage }) => sMessage)).toEqual(['mine', 'mine', 'mine'])
  })
})

test('tarsnotify: under made-up names a pod says no more than under its own, and takes nothing from others', async () => {
  await withRole('notify', { TARSNOTIFY_LIMIT: '300:5', TARSNOTIFY_HTTP_PORT: '13112' }, async (address) => {
    const proxy = (who: Who) => communicators[who].proxy<NotifyProxy>(Notify, `tars.tarsnotify.NotifyObj@tcp -h ${address} -p 13111`)
    for (let i = 0; i < 50; i++) await proxy('evil').reportServer(`Made${i}.Up`, '', 'noise')
    await proxy('shop').reportServer('Mall.Shop', '', 'heard')
    const metrics = await (await fetch(`http://${address}:13112/metrics`)).text()
    expect(metrics).toContain('tarsnotify_notifications_total 6\n')
    expect(metrics).toContain('tarsnotify_dropped_notifications_total 45\n')
  })
})

describe('tarsconfig', () => {
  const reads: readonly (readonly [string, (config: ConfigProxy, app: string) => Promise<{ readonly return: number }>])[] = [
    ['loadConfig', (config, app) => config.loadConfig(app, 'Shop', 'secret.conf')],
    ['loadConfigByHost', (config, app) => config.loadConfigByHost(`${app}.Shop`, 'secret.conf', '')],
    ['loadConfigByInfo', (config, app) => config.loadConfigByInfo(createConfigInfo({ appname: app, servername: 'Shop', filename: 'secret.conf' }))],
    ['checkConfig', (config, app) => config.checkConfig(`${app}.Shop`, 'secret.conf', '')],
    ['checkConfigByInfo', (config, app) => config.checkConfigByInfo(createConfigInfo({ appname: app, servername: 'Shop', filename: 'secret.conf' }))],
    ['ListConfig', (config, app) => config.ListConfig(app, 'Shop')],
    ['ListConfigByInfo', (config, app) => config.ListConfigByInfo(createConfigInfo({ appname: app, servername: 'Shop' }))],
    ['ListAllConfigByInfo', (config, app) => config.ListAllConfigByInfo(createGetConfigListInfo({ appname: app, servername: 'Shop' }))],
  ]
  const asked = (address: string, who: Who, read: (typeof reads)[number][1], app: string): Promise<boolean> =>
    read(communicators[who].proxy<ConfigProxy>(Config, `tars.tarsconfig.ConfigObj@tcp -h ${address} -p 11111`), app).then((answer) => answer.return === 0)

  test('whoever asks reads, as in native; when asked to, an application keeps its files to itself', async () => {
    await withRole('config', {}, async (address) => {
      for (const [name, read] of reads) expect([name, ...Object.values(await outcomes((who) => asked(address, who, read, 'Mall')))]).toEqual([name, true, true, true, true, true])
    })
    await withRole('config', strict, async (address) => {
      for (const [name, read] of reads) {
        expect([name, await outcomes((who) => asked(address, who, read, 'Mall'))]).toEqual([name, { shop: true, evil: false, node: true, nobody: false, framework: true }])
        expect([name, await asked(address, 'evil', read, 'Demo')]).toEqual([name, true])
      }
    })
  })

  test('nobody uses up what another one may ask', async () => {
    await withRole('config', { TARSCONFIG_LIMIT: '3600:2' }, async (address) => {
      const load = async (who: Who): Promise<number> => (await communicators[who].proxy<ConfigProxy>(Config, `tars.tarsconfig.ConfigObj@tcp -h ${address} -p 11111`).loadConfigByInfo(createConfigInfo({ appname: 'Mall', servername: 'Shop', filename: 'secret.conf', host: 'mall-shop-0' }))).return
      for (let i = 0; i < 5; i++) await load('evil')
      expect([await load('evil'), await load('shop')]).toEqual([429, 0])
    })
  })
})

test('tarsregistry: a server keeps its descriptor to itself, when asked to', async () => {
  const functions: readonly ((registry: RegistryProxy) => Promise<boolean>)[] = [
    async (registry) => (await registry.getServerDescriptor('Mall', 'Shop')).return === 0,
    async (registry) => (await registry.getServers('Mall', 'Shop', 'mall-shop-0')).length === 1,
    async (registry) => (await registry.getServers('', '', 'mall-shop-0.mall-shop')).length === 1,
  ]
  for (const [env, wanted] of [[{}, [true, true, true, true, true]], [strict, [true, false, false, false, true]]] as const) {
    await withRole('registry', env, async (address) => {
      for (const call of functions) expect(Object.values(await outcomes((who) => call(communicators[who].proxy<RegistryProxy>(Registry, `tars.tarsregistry.RegistryObj@tcp -h ${address} -p 17891`))))).toEqual(wanted)
    })
  }
})

test('tarsregistry: descriptors and commands are by the name that a server has, whatever the case that it is asked for in, with pods and without', async () => {
  await createEndpoint(cluster.client, 'Mall', 'Empty', [{ name: 'Obj', port: 9000 }])
  await withRole('registry', strict, async (address) => {
    const registry = (who: Who) => communicators[who].proxy<RegistryProxy>(Registry, `tars.tarsregistry.RegistryObj@tcp -h ${address} -p 17891`)
    await until(async () => (await registry('framework').getServerDescriptor('Mall', 'Empty')).return === 0)
    for (const server of ['Shop', 'shop', 'Empty', 'empty']) expect([server, (await registry('evil').getServerDescriptor('mall', server)).return]).toEqual([server, -1])
    for (const [who, wanted] of Object.entries({ shop: 1, evil: 3, node: 2, nobody: 2, framework: 1 })) expect([who, await registry('shop').checkCaller(at[who as Who], 'mall', 'shop')]).toEqual([who, wanted])
    expect(await registry('shop').checkCaller(`${at.shop},metadata.name=x`, 'Mall', 'Shop')).toBe(2)
  })
  await withRole('registry', {}, async (address) => {
    const registry = communicators.shop.proxy<RegistryProxy>(Registry, `tars.tarsregistry.RegistryObj@tcp -h ${address} -p 17891`)
    expect([await registry.checkCaller(at.nobody, 'Mall', 'Shop'), await registry.checkCaller('nonsense', 'Mall', 'Shop')]).toEqual([1, 2])
  })
  await withRole('registry', { TARS_CALLERS: 'off' }, async (address) => {
    expect(await communicators.shop.proxy<RegistryProxy>(Registry, `tars.tarsregistry.RegistryObj@tcp -h ${address} -p 17891`).checkCaller(at.evil, 'Mall', 'Shop')).toBe(0)
  })
})

test('tarsregistry: a pod that has just come is known to who asks about it, and made-up addresses are not the API server\'s work', async () => {
  await withRole('registry', strict, async (address) => {
    const registry = communicators.shop.proxy<RegistryProxy>(Registry, `tars.tarsregistry.RegistryObj@tcp -h ${address} -p 17891`)
    const [fresh, later] = [ownAddress(), ownAddress()]
    await createPod(cluster.client, { app: 'Mall', server: 'Shop', name: 'mall-shop-8', ip: fresh })
    expect(await registry.checkCaller(fresh, 'Mall', 'Shop')).toBe(1)
    await cluster.client.delete(pods, { namespace, name: 'mall-shop-8' })
    await Promise.all(Array.from({ length: 200 }, (_, i) => registry.checkCaller(`10.9.9.${i}`, 'Mall', 'Shop')))
    await createPod(cluster.client, { app: 'Mall', server: 'Shop', name: 'mall-shop-7', ip: later })
    // Asked about without end, it is not looked up, and known when the watch has shown it.
    await until(async () => (await registry.checkCaller(later, 'Mall', 'Shop')) === 1)
    await cluster.client.delete(pods, { namespace, name: 'mall-shop-7' })
  })
})

describe('AdminRegObj', () => {
  const commands: Readonly<Record<string, (admin: AdminRegProxy, app: string) => Promise<unknown>>> = {
    startServer: (admin, app) => admin.startServer(app, 'None', 'n'),
    stopServer: (admin, app) => admin.stopServer(app, 'None', 'n'),
    restartServer: (admin, app) => admin.restartServer(app, 'None', 'n'),
    destroyServer: (admin, app) => admin.destroyServer(app, 'None', 'n'),
    uninstallServer: (admin, app) => admin.uninstallServer(app, 'None', 'n'),
    notifyServer: (admin, app) => admin.notifyServer(app, 'None', 'n', 'x'),
    undeploy: (admin, app) => admin.undeploy(app, 'None', 'n', 'u'),
    loadServer: (admin, app) => admin.loadServer(app, 'None', 'n'),
    deletePatchFile: (admin, app) => admin.deletePatchFile(app, 'None', 'f'),
    updateServerFlowState: (admin, app) => admin.updateServerFlowState(app, 'None', [], false),
    insertAdapterConf: (admin, app) => admin.insertAdapterConf(app, 'None', 'n', createAdapterConf({ servant: 'x' }), false),
    getLogFileList: (admin, app) => admin.getLogFileList(app, 'None', 'n'),
    getLogData: (admin, app) => admin.getLogData(app, 'None', 'n', 'f', 'tail -1 f'),
    getNodeLoad: (admin, app) => admin.getNodeLoad(app, 'None', 'n', 1),
    insertConfigFile: (admin, app) => admin.insertConfigFile(`${app}.None`, '*', '', 'n', 2, false),
    delCache: (admin, app) => admin.delCache('n', `${app}.None`, '', '1'),
    batchPatch: (admin, app) => admin.batchPatch(createPatchRequest({ appname: app, servername: 'None' })),
    insertServerConf: (admin, app) => admin.insertServerConf(createServerConf({ application: app, serverName: 'None' }), false),
    addTaskReq: (admin, app) => admin.addTaskReq(createTaskReq({ taskItemReq: [createTaskItemReq({ application: 'Demo', serverName: 'None', command: 'x' }), createTaskItemReq({ application: app, serverName: 'None', command: 'x', itemNo: `of ${app}` })] })),
    setTaskItemInfo: (admin, app) => admin.setTaskItemInfo(`of ${app}`, new Map([['log', 'x'.repeat(100_000)]])),
    registerPlugin: (admin, app) => admin.registerPlugin(createPluginConf({ obj: `${app}.None.Obj` })),
    shutdownNode: (admin, app) => admin.shutdownNode(app === 'Mall' ? 'mall-shop-0' : 'none'),
  }

  test('a pod has its own application commanded, changed and read out, and no other', async () => {
    const { client } = cluster
    const { metadata: { uid = '' } } = await client.get(pods, { namespace, name: 'mall-shop-0' })
    await client.create(resources.tservers, completeServer({ name: 'mall-shop', namespace }, { app: 'Mall', server: 'Shop', subType: 'tars', tars: { template: 'tars.default', servants: [] }, k8s: {} }) as never)
    await client.patch(resources.tendpoints, { namespace, name: 'mall-shop' }, { status: { pods: [{ uid, name: 'mall-shop-0', podIP: at.shop, settingState: 'Active', presentState: 'Active' }] } }, { subresource: 'status' })
    const of = (who: Who, address: string) => communicators[who].proxy<AdminRegProxy>(AdminReg, `tars.tarsAdminRegistry.AdminRegObj@tcp -h ${address} -p 19111`)
    await withRole('adminregistry', {}, async (address) => {
      await commands['addTaskReq']?.(of('framework', address), 'Mall')
      for (const [name, command] of Object.entries(commands)) expect([name, await command(of('evil', address), 'Mall').catch((error: Error) => error.message)]).toEqual([name, expect.stringContaining('the caller is no pod of Mall or of the framework')])
      expect((await client.get(pods, { namespace, name: 'mall-shop-0' })).metadata.deletionTimestamp).toBeUndefined()
      const { shutdownNode: _, ...others } = commands
      for (const [name, command] of Object.entries(others)) expect([name, await taken(command(of('evil', address), 'Demo')), await taken(command(of('shop', address), 'Demo'))]).toEqual([name, true, false])
      for (const who of ['nobody', 'framework'] as const) for (const [name, command] of Object.entries(others)) expect([name, who, await taken(command(of(who, address), 'Mall'))]).toEqual([name, who, true])
      const { taskRsps } = await of('evil', address).getTaskHistory('Mall', 'None', '')
      expect(taskRsps.at(-1)?.taskItemRsp.find(({ req }) => req.application === 'Mall')?.executeLog).toHaveLength(4096)
      expect((await of('evil', address).getServerTree()).tree.length).toBeGreaterThan(0)
    })
    await withRole('adminregistry', { TARS_CALLERS: 'off' }, async (address) => expect(await taken(of('evil', address).stopServer('Mall', 'Shop', 'none'))).toBe(true))
    await withRole('admin', { HTTP_PORT: '8080' }, async (address) => {
      const asked = (who: Who, method: string, path: string): Promise<number | undefined> => new Promise((resolve, reject) => http.request({ host: address, port: 8080, method, path, localAddress: at[who], agent: false }, (answer) => resolve(answer.resume().statusCode)).on('error', reject).end())
      for (const verb of ['start', 'stop', 'restart']) expect([verb, await asked('evil', 'POST', `/api/v1/servers/mall-shop/${verb}`), await asked('evil', 'GET', '/api/v1/pods/mall-shop-0/logs')]).toEqual([verb, 403, 403])
      expect([await asked('evil', 'GET', '/api/v1/servers/mall-shop'), await asked('shop', 'POST', '/api/v1/servers/mall-shop/start?pod=none'), await asked('nobody', 'POST', '/api/v1/servers/mall-shop/start?pod=none')]).toEqual([200, 404, 404])
    })
  })
})

describe('CallerCheck', () => {
  let callers: Callers
  beforeAll(async () => {
    callers = watchCallers({ client: cluster.client, namespace, ownerLabels: ['tars.io/ServerApp', 'tars.io/ServerName'], log: silentLogger })
    await callers.known()
  })
  afterAll(() => callers?.stop())

  test('several pods on the network of a node may each speak for themselves, until they are gone', async () => {
    expect(callers.ownersAt(at.node)).toEqual(['Mall.Host'])
    await createPod(cluster.client, { app: 'Mall', server: 'Second', name: 'mall-second-0', ip: at.node, hostNetwork: true })
    await until(() => callers.ownersAt(at.node).length === 2)
    const check = new CallerCheck({ mode: 'enforce', trusts: () => false, callers, log: silentLogger })
    expect([check.admits(at.node, 'Mall.Host'), check.admits(`::ffff:${at.node}`, 'Mall.Second'), check.admits(at.node, 'Mall.Shop')]).toEqual([true, true, false])
    await cluster.client.delete(pods, { namespace, name: 'mall-second-0' })
    await until(() => callers.ownersAt(at.node).length === 1)
  })

  test('one caller and server are logged once a minute, however often it calls', () => {
    const lines: string[] = []
    const check = new CallerCheck({ mode: 'enforce', trusts: () => true, callers, log: createLogger({ write: (line) => void lines.push(line) }) })
    for (let i = 0; i < 100; i++) check.admits(at.evil, 'Mall.Shop')
    expect(check.counts).toEqual({ foreign: 100, stranger: 0 })
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ reason: 'foreign', peer: at.evil, owners: ['Demo.Evil'], server: 'Mall.Shop' })
  })

  test.each(['10.0.0.0', '10.0.0.0/33', 'x/8', '10.0.0.0/8,,'])('TARS_CALLERS_TRUSTED=%s is refused', (text) => {
    expect(() => callerEnv({ TARS_CALLERS_TRUSTED: text }, 'off')).toThrow('TARS_CALLERS_TRUSTED must be networks')
  })
  test('networks of both families are trusted', () => {
    const { trusts, mode } = callerEnv({ TARS_CALLERS_TRUSTED: '10.0.0.0/8, fd00::/8', TARS_CALLERS: 'log' }, 'off')
    expect([mode, trusts('10.1.2.3'), trusts('11.0.0.1'), trusts('fd00::1'), trusts('fe80::1'), trusts('nonsense')]).toEqual(['log', true, false, true, false, false])
  })
})
