// What the charts make of their values, by real Helm.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { customResourceDefinitions } from '#api/crds.ts'
import { resources } from '#api/resources.ts'
import { baseImages, usualBases } from '#api/seed/images.ts'
import { frameworkRoles } from '#api/seed/servers.ts'
import type { AnyObject } from '#kube/types.ts'
import { baseNames, chooseBaseImage } from '../../base-images/catalog.ts'
import { run as chartsCommand } from '../../framework/charts/charts-command.ts'
import { accounts, chartNames, type ChartName } from '../../framework/charts/charts.ts'
import { namespace, startCluster } from '../registry/cluster.ts'
import { cacheDir } from '../rig/tools.ts'
import { command, helm, HELM_BUILD_MS, helmProgram, named, packCharts, rendered } from './rig.ts'

let folder: string
let charts: Readonly<Record<ChartName, string>>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-charts-'))
  charts = await packCharts(folder, '1.2.3')
  await helmProgram()
}, HELM_BUILD_MS)
afterAll(() => rm(folder, { recursive: true, force: true }))

const registry = 'registry.test:5000/tars'
const controllerValues = [`controller.registry=${registry}`]
const frameworkValues = [`framework.registry=${registry}`, 'upload.registry=registry.test/services']
const valuesOf: Readonly<Record<ChartName, readonly string[]>> = { tarscontroller: controllerValues, tarsframework: frameworkValues }

const envOf = (job: AnyObject): Record<string, string | undefined> =>
  Object.fromEntries((job['spec'].template.spec.containers[0].env as { name: string; value?: string }[]).map(({ name, value }) => [name, value]))

describe.each(chartNames)('%s', (name) => {
  it('passes helm lint', async () => {
    const { code, out } = await helm(folder, 'lint', '--strict', charts[name], '--kube-version', '1.30.0', '--set', valuesOf[name].join(','))
    expect(out).toContain('0 chart(s) failed')
    expect(code).toBe(0)
  })

  it.each(['1.25.0', '1.34.4'])('is for Kubernetes %s', async (kubeVersion) => {
    expect((await rendered(folder, charts[name], valuesOf[name], { kubeVersion })).length).toBeGreaterThan(5)
  })

  it('is not for an older one', async () => {
    await expect(rendered(folder, charts[name], valuesOf[name], { kubeVersion: '1.24.9' })).rejects.toThrow('requires kubeVersion')
  })

  it('gives every role the access that it declares, and no other', async () => {
    const objects = await rendered(folder, charts[name], valuesOf[name])
    const namespace = name === 'tarscontroller' ? 'tars-system' : 'prod'
    const made = objects.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name)
    expect(made.toSorted()).toEqual(Object.keys(accounts[name]).toSorted())
    const granted = (kind: string, id: string): unknown => objects.find((object) => object.kind === kind && object.metadata.name === id)?.['rules']
    for (const [account, access] of Object.entries(accounts[name])) {
      const cluster = `${namespace}:${account}`
      expect({ account, namespaced: granted('Role', account), cluster: granted('ClusterRole', cluster) }).toEqual({ account, namespaced: access.namespaced, cluster: access.cluster })
      const bindings = objects.filter(({ kind, metadata }) => /Binding$/.test(kind) && [account, cluster].includes(metadata.name))
      const subjects = [{ kind: 'ServiceAccount', name: account, namespace }]
      const wanted = [access.namespaced && ['RoleBinding', account], access.cluster && ['ClusterRoleBinding', cluster]].filter((role) => role !== undefined)
      expect(new Set(bindings.map((binding) => [binding.kind, binding['roleRef'].name, binding['subjects']]))).toEqual(new Set(wanted.map(([kind, role]) => [kind, role, subjects])))
    }
  })

  it('is the same bytes each time', async () => {
    const again = await packCharts(join(folder, 'again'), '1.2.3')
    expect(await readFile(again[name])).toEqual(await readFile(charts[name]))
  })

  it('grants nothing by a wildcard', () => {
    expect(JSON.stringify(accounts[name])).not.toContain('*')
  })
})

describe('values', () => {
  const both: readonly (readonly [ChartName, readonly string[], readonly string[]])[] = [
    ['tarscontroller', [`controller.registry=${registry}`, 'controller.tag=b7'], [`helm.dockerhub.registry=${registry}`, 'helm.build.id=b7']],
    ['tarsframework',
      [`framework.registry=${registry}`, 'framework.tag=b7', 'upload.registry=r.test/s', 'upload.secret=push', 'elk.nodes={es-0:9200,es-1:9200}'],
      [`helm.dockerhub.registry=${registry}`, 'helm.build.id=b7', 'dockerRegistry=r.test/s', 'dockerSecret=push', 'els.nodes={es-0:9200,es-1:9200}']],
  ]
  it.each(both)('%s takes both spellings', async (name, later, first) => {
    const objects = await rendered(folder, charts[name], later)
    expect(await rendered(folder, charts[name], first)).toEqual(objects)
    expect(JSON.stringify(objects)).toContain(`${registry}/tars.framework:b7`)
  })

  it('reach the seed', async () => {
    const job = named(await rendered(folder, charts.tarsframework, [...frameworkValues, 'framework.secret=pull', 'upload.secret=push', 'elk.nodes={es-0:9200,es-1:9200}', 'bases={cppbase,java21base}']), 'Job', 'tars-seed')
    expect(envOf(job)).toEqual({
      Namespace: 'prod', TARSSEED_IMAGES: registry, TARSSEED_TAG: '1.2.3', TARSSEED_SECRET: 'pull', TARSSEED_UPLOAD: 'registry.test/services',
      TARSSEED_UPLOAD_SECRET: 'push', TARSSEED_ELK: 'es-0:9200,es-1:9200', TARSSEED_BASES: 'cppbase,java21base',
    })
    expect(job['spec'].template.spec.imagePullSecrets).toEqual([{ name: 'pull' }])
  })

  it('need no document store, and offer a base image a language', async () => {
    const job = named(await rendered(folder, charts.tarsframework, frameworkValues), 'Job', 'tars-seed')
    expect(envOf(job)).toMatchObject({ TARSSEED_ELK: '', TARSSEED_UPLOAD_SECRET: '', TARSSEED_BASES: usualBases.join(',') })
  })

  it('tell the roles that keep things where the document store is; without one they have a folder', async () => {
    const keeping = ['notify', 'stat', 'property', 'querystat', 'queryproperty', 'kevent']
    const envOf = (objects: readonly AnyObject[], role: string): Record<string, string | undefined> =>
      Object.fromEntries((named(objects, 'TServer', `tars-tars${role}`)['spec'].k8s.env as { name: string; value?: string }[]).map(({ name, value }) => [name, value]))
    const without = await rendered(folder, charts.tarsframework, frameworkValues)
    const given = await rendered(folder, charts.tarsframework, [...frameworkValues, 'els.nodes={es-0:9200,es-1:9200}', 'servers.stat.env[0].name=TARSSTORE_PROTOCOL', 'servers.stat.env[0].value=https'])
    for (const role of frameworkRoles) {
      expect([role, envOf(without, role)['TARSSTORE_NODES']]).toEqual([role, undefined])
      expect([role, envOf(given, role)['TARSSTORE_NODES']]).toEqual([role, keeping.includes(role) ? 'es-0:9200,es-1:9200' : undefined])
    }
    expect(envOf(given, 'stat')['TARSSTORE_PROTOCOL']).toBe('https')
    for (const role of ['notify', 'stat', 'property', 'kevent']) {
      expect(envOf(without, role)['TARSSTORE_DATA']).toBe('/data')
      expect(named(without, 'TServer', `tars-tars${role}`)['spec'].k8s.mounts).toMatchObject([{ mountPath: '/data', source: { emptyDir: {} } }])
    }
  })

  const storeValues = (spelling: string) => [`${spelling}.nodes={https://es-http.elastic.svc:9200}`, `${spelling}.secret=es-user`, `${spelling}.caSecret=es-ca`]
  it.each(['elk', 'els'])('say by %s who one is to the document store, and whom to trust', async (spelling) => {
    const objects = await rendered(folder, charts.tarsframework, [...frameworkValues, ...storeValues(spelling), 'servers.stat.mounts[0].name=data', 'servers.stat.mounts[0].mountPath=/data', 'servers.stat.mounts[0].source.emptyDir.medium=Memory'])
    const k8s = (role: string) => named(objects, 'TServer', `tars-tars${role}`)['spec'].k8s as { env: { name: string }[]; mounts?: { name: string }[] }
    const key = (name: string, key: string) => ({ name, valueFrom: { secretKeyRef: { name: 'es-user', key, optional: true } } })
    const mount = { name: 'store-ca', mountPath: '/etc/tars/store', readOnly: true, source: { secret: { secretName: 'es-ca', optional: false, items: [{ key: 'ca.crt', path: 'ca.crt' }] } } }
    for (const role of ['notify', 'stat', 'property', 'querystat', 'queryproperty', 'kevent']) {
      const env = k8s(role).env.filter(({ name }) => /^TARSSTORE_(?!DATA)/.test(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1))
      expect([role, env]).toEqual([role, [key('TARSSTORE_API_KEY', 'apiKey'), { name: 'TARSSTORE_CA', value: '/etc/tars/store/ca.crt' }, { name: 'TARSSTORE_NODES', value: 'https://es-http.elastic.svc:9200' }, key('TARSSTORE_PASSWORD', 'password'), key('TARSSTORE_USER', 'username')]])
      expect([role, k8s(role).mounts?.at(-1)]).toEqual([role, mount])
    }
    expect(k8s('stat').mounts?.map(({ name }) => name)).toEqual(['data', 'store-ca'])
    const cluster = await startCluster()
    try {
      // What the API server would refuse.
      for (const server of objects.filter(({ kind }) => kind === 'TServer')) await cluster.client.create(resources.tservers, { ...server, metadata: { ...server.metadata, namespace } } as never, { dryRun: true })
    } finally {
      await cluster.stop()
    }
    expect(JSON.stringify([k8s('log'), k8s('config')])).not.toMatch(/TARSSTORE|store-ca/)
    expect(envOf(named(objects, 'Job', 'tars-seed'))['TARSSEED_ELK']).toBe('https://es-http.elastic.svc:9200')
  })

  it('put a certificate where servants are, and register them as ssl only when nothing else is served', async () => {
    const tlsOf = async (...values: readonly string[]): Promise<Record<string, unknown>> => {
      const objects = await rendered(folder, charts.tarsframework, [...frameworkValues, ...values])
      return Object.fromEntries(frameworkRoles.map((role) => {
        const { k8s, tars } = named(objects, 'TServer', `tars-tars${role}`)['spec']
        const env = Object.fromEntries((k8s.env as { name: string; value?: string }[]).filter(({ name }) => /^TARS_(CA|TLS)/.test(name)).map(({ name, value }) => [name, value]))
        const mount = (k8s.mounts as { name: string; source: unknown }[] | undefined)?.find(({ name }) => name === 'tls')
        return [role, { env, mount: mount?.source, ssl: ((tars?.servants ?? []) as { name: string; isSsl?: boolean }[]).filter(({ isSsl }) => isSsl).map(({ name }) => name) }]
      }))
    }
    const none = { env: {}, mount: undefined, ssl: [] }
    expect(Object.values(await tlsOf())).toEqual(frameworkRoles.map(() => none))
    const source = { secret: { secretName: 'certificate' } }
    const beside = await tlsOf('tls.secret=certificate', 'tls.name=tars-framework')
    expect(beside['stat']).toEqual({ env: { TARS_CA: '/etc/tars/tls/ca.crt', TARS_TLS_NAME: 'tars-framework', TARS_TLS: '/etc/tars/tls', TARS_TLS_REQUIRED: 'false' }, mount: source, ssl: [] })
    expect(beside['admin']).toEqual({ env: { TARS_CA: '/etc/tars/tls/ca.crt', TARS_TLS_NAME: 'tars-framework' }, mount: source, ssl: [] })
    expect([beside['image'], beside['kevent']]).toEqual([none, none])
    const alone = await tlsOf('tls.secret=certificate', 'tls.required=true')
    expect(alone['querystat']).toMatchObject({ env: { TARS_TLS_REQUIRED: 'true' }, ssl: ['QueryObj'] })
    expect(alone['log']).toMatchObject({ ssl: ['LogObj', 'TopologyObj'] })
  })

  it('have callers of the objects that are named show accounts, and the roles have one', async () => {
    await expect(rendered(folder, charts.tarsframework, [...frameworkValues, 'accounts.objects={tars.tarsconfig.ConfigObj}'])).rejects.toThrow('accounts.secret is missing')
    const objects = await rendered(folder, charts.tarsframework, [...frameworkValues, 'accounts.secret=keys', 'accounts.objects={tars.tarsconfig.ConfigObj,tars.tarsAdminRegistry.AdminRegObj}'])
    const of = (role: string) => {
      const { k8s, tars } = named(objects, 'TServer', `tars-tars${role}`)['spec']
      const env = (k8s.env as { name: string }[]).filter(({ name }) => /^TARS_(AUTH|ACC|SECRET)/.test(name))
      return { env, mounted: ((k8s.mounts ?? []) as { mountPath: string; source: unknown }[]).find(({ mountPath }) => mountPath === '/etc/tars/accounts')?.source, auth: ((tars?.servants ?? []) as { name: string; auth?: boolean }[]).filter(({ auth }) => auth).map(({ name }) => name) }
    }
    const own = [{ name: 'TARS_ACCESS_KEY', value: 'tars' }, { name: 'TARS_SECRET_KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'tars' } } }]
    const guarded = { env: [...own, { name: 'TARS_AUTH', value: 'tars.tarsconfig.ConfigObj,tars.tarsAdminRegistry.AdminRegObj' }, { name: 'TARS_ACCOUNTS', value: '/etc/tars/accounts' }], mounted: { secret: { secretName: 'keys' } } }
    expect(of('config')).toEqual({ ...guarded, auth: ['ConfigObj'] })
    expect(of('adminregistry')).toEqual({ ...guarded, auth: ['AdminRegObj'] })
    expect([of('registry'), of('log')]).toEqual([{ ...guarded, auth: [] }, { ...guarded, auth: [] }])
    expect([of('admin'), of('kevent')]).toEqual([{ env: own, mounted: undefined, auth: [] }, { env: [], mounted: undefined, auth: [] }])
  })

  it('say to each role that is told something, or commanded, whom it believes', async () => {
    const objects = await rendered(folder, charts.tarsframework, [...frameworkValues, 'callers.check=log', 'callers.trusted={10.0.0.0/8,fd00::/8}'])
    const told = objects.filter(({ kind, ...object }) => kind === 'TServer' && JSON.stringify(object['spec'].k8s.env).includes('{"name":"TARS_CALLERS","value":"log"},{"name":"TARS_CALLERS_TRUSTED","value":"10.0.0.0/8,fd00::/8"}'))
    expect(told.map(({ metadata }) => metadata.name.replace('tars-tars', '')).toSorted()).toEqual(['admin', 'adminregistry', 'config', 'log', 'notify', 'property', 'registry', 'stat'])
  })

  it('bring a dashboard of what there is to be seen, when it is wanted', async () => {
    expect((await rendered(folder, charts.tarsframework, frameworkValues)).filter(({ metadata }) => metadata.name === 'tars-dashboard')).toEqual([])
    const map = named(await rendered(folder, charts.tarsframework, [...frameworkValues, 'monitoring.dashboard=true', 'monitoring.dashboardLabels.team=a']), 'ConfigMap', 'tars-dashboard')
    expect(map.metadata.labels).toMatchObject({ grafana_dashboard: '1', team: 'a' })
    const { panels } = JSON.parse((map['data'] as Record<string, string>)['tars-services.json'] ?? '') as { panels: { title: string; targets: { expr: string }[] }[] }
    const asked = new Set(panels.flatMap(({ targets }) => targets.flatMap(({ expr }) => expr.match(/\btars\w+(?=[{[)])/g) ?? [])))
    const sources = await Promise.all(['stat/model/call-counters.ts', 'stat/stat.ts', 'property/model/property-rules.ts', 'property/property.ts', 'lib/store/spool.ts'].map((file) => readFile(join(import.meta.dirname, '../../framework', file), 'utf8')))
    expect(asked.size).toBeGreaterThan(7)
    for (const name of asked) expect([name, sources.some((text) => text.includes(`'${name}'`))]).toEqual([name, true])
  })

  it("change the framework's servers by role", async () => {
    const objects = await rendered(folder, charts.tarsframework, [...frameworkValues, 'framework.secret=pull', 'servers.registry.replicas=3', 'servers.image.resources.limits.memory=1Gi', 'servers.image.env[0].name=TARSIMAGE_BUILDS', 'servers.image.env[0].value=7x'])
    expect(named(objects, 'TServer', 'tars-tarsregistry')).toMatchObject({ metadata: { annotations: { 'tars.io/MinReplicas': '3' } }, spec: { k8s: { replicas: 3 } } })
    expect(named(objects, 'TServer', 'tars-tarsimage')).toMatchObject({ spec: { k8s: { resources: { limits: { memory: '1Gi' } }, serviceAccount: 'tars-tarsimage' }, release: { id: '1.2.3', secret: 'pull' } } })
    const added = { name: 'TARSIMAGE_BUILDS', value: '7x' }
    const env = (name: string): unknown[] => named(objects, 'TServer', name)['spec'].k8s.env as unknown[]
    expect(env('tars-tarsimage').at(-1)).toEqual(added)
    expect(env('tars-tarsimage').length).toBeGreaterThan(4)
    expect(env('tars-tarsadmin')).not.toContainEqual(added)
    expect(objects.filter(({ kind }) => kind === 'TServer')).toHaveLength(frameworkRoles.length)
  })

  it.each([['Deployment', 'tars-controller-manger', 'controller'], ['DaemonSet', 'tars-agent', 'agent']] as const)('say which taints the %s puts up with, and what it goes before', async (kind, name, part) => {
    const podOf = async (...values: readonly string[]): Promise<AnyObject> => named(await rendered(folder, charts.tarscontroller, [...controllerValues, ...values]), kind, name)['spec'].template.spec as AnyObject
    expect(await podOf(`${part}.tolerations[0].key=gpu`, `${part}.tolerations[0].operator=Exists`, `${part}.priorityClassName=system-node-critical`)).toMatchObject({ tolerations: [{ key: 'gpu', operator: 'Exists' }], priorityClassName: 'system-node-critical' })
    const { tolerations, priorityClassName } = (await podOf()) as Record<string, unknown>
    expect([tolerations, priorityClassName]).toEqual([undefined, undefined])
  })

  it.each([[[], 2, true], [['controller.replicas=1'], 1, false]] as const)('%j run %i controllers, and a drain takes one at a time: %s', async (values, replicas, guarded) => {
    const objects = await rendered(folder, charts.tarscontroller, [...controllerValues, ...values])
    expect(named(objects, 'Deployment', 'tars-controller-manger')['spec'].replicas).toBe(replicas)
    expect(objects.some(({ kind }) => kind === 'PodDisruptionBudget')).toBe(guarded)
  })

  it('choose versions of the CRDs', async () => {
    const versionsOf = (objects: readonly AnyObject[]): unknown => (named(objects, 'CustomResourceDefinition', 'tservers.k8s.tars.io')['spec'].versions as { name: string; served: boolean; storage: boolean }[]).map(({ name, served, storage }) => [name, served, storage])
    const objects = await rendered(folder, charts.tarscontroller, controllerValues)
    expect(objects.filter(({ kind }) => kind === 'CustomResourceDefinition')).toEqual(customResourceDefinitions())
    expect(versionsOf(await rendered(folder, charts.tarscontroller, [...controllerValues, 'crds.servers={v1beta1}', 'crds.storage=v1beta2']))).toEqual([['v1beta1', true, false], ['v1beta2', true, true], ['v1beta3', true, false]])
  })

  it('set a default registry when the charts are packed', async () => {
    const own = await packCharts(join(folder, 'own'), '2.0.0-rc.1', '--registry', registry)
    expect(named(await rendered(folder, own.tarscontroller, []), 'Deployment', 'tars-controller-manger')['spec'].template.spec.containers[0].image).toBe(`${registry}/tars.framework:2.0.0-rc.1`)
  })

  const refused: readonly (readonly [ChartName, readonly string[], RegExp])[] = [
    ['tarscontroller', ['controller.registy=x'], /\/controller.*registy/],
    ['tarscontroller', [...controllerValues, 'controller.replicas=0'], /\/controller\/replicas/],
    ['tarscontroller', [...controllerValues, 'crds.storage=v2'], /\/crds\/storage/],
    ['tarscontroller', ['controller.registry=https://registry.test'], /\/controller\/registry/],
    ['tarscontroller', [], /controller\.registry is missing: --set controller\.registry=/],
    ['tarsframework', [...frameworkValues, 'elk.nodes={es-0}'], /\/elk\/nodes\/0/],
    ['tarsframework', [...frameworkValues, 'elk.nodes={https://tars:secret@es-0:9200}'], /\/elk\/nodes\/0/],
    ['tarsframework', [...frameworkValues, 'els.caSecret=Big_Secret'], /\/els\/caSecret/],
    ['tarsframework', [...frameworkValues, 'framework.tag=a:b'], /\/framework\/tag/],
    ['tarsframework', [...frameworkValues, 'upload.secret=Big_Secret'], /\/upload\/secret/],
    ['tarsframework', [...frameworkValues, 'web=http://tars.test'], /\/web/],
    ['tarsframework', [...frameworkValues, 'servers.regitry.replicas=3'], /\/servers.*regitry/],
    ['tarsframework', [...frameworkValues, 'servers.registry.replicas=100'], /\/servers\/registry\/replicas/],
    ['tarsframework', [...frameworkValues, 'servers.registry.replica=3'], /\/servers\/registry.*replica/],
    ['tarsframework', [...frameworkValues, 'servers.image.resources.limits.memory=lots'], /\/servers\/image\/resources\/limits\/memory/],
    ['tarsframework', [...frameworkValues, 'servers.notify.mounts[0].name=data', 'servers.notify.mounts[0].mountPath=/data', 'servers.notify.mounts[0].source.persistentVolumeClaimTemplate.spec.accessModes={Once}'], /\/servers\/notify\/mounts\/0\/source\/persistentVolumeClaimTemplate/],
    ['tarsframework', [...frameworkValues, 'tls.required=true'], /tls\.secret is missing: name a Secret/],
    ['tarsframework', [...frameworkValues, 'accounts.secret=keys', 'accounts.objects={tars.tarsadminregistry.AdminRegObj}'], /accounts\.objects names tars\.tarsadminregistry\.AdminRegObj, .* name some of .*tars\.tarsAdminRegistry\.AdminRegObj/],
    ['tarsframework', [`framework.registry=${registry}`], /upload\.registry is missing: --set upload\.registry=/],
    ['tarsframework', ['upload.registry=registry.test/services'], /framework\.registry is missing: --set framework\.registry=/],
  ]
  it.each(refused)('%s %j are refused by name', async (name, values, says) => {
    await expect(rendered(folder, charts[name], values)).rejects.toThrow(says)
  })
})

describe('charts package', () => {
  it.each([['--version', '1.2'], ['--version', 'latest'], ['--version', '1.2.3+4']])('refuses %s %s', async (flag, value) => {
    const { code, err } = await command(chartsCommand, ['package', flag, value, '--out', folder])
    expect({ code, err }).toEqual({ code: 1, err: `tarsk8s charts: "${value}" is no version (give one as 1.2.3 or 1.2.3-rc.1)\n` })
  })

  it('is called rightly or says how', async () => {
    expect(await command(chartsCommand, [])).toMatchObject({ code: 2, err: expect.stringContaining('usage: tarsk8s charts package') as string })
    for (const registry of ['bad name', 'https://registry.example', 'registry.example/Tars', '']) expect(await command(chartsCommand, ['package', '--registry', registry])).toMatchObject({ code: 2, err: expect.stringContaining('--registry must be HOST[:PORT][/PATH]') as string })
    expect(await command(chartsCommand, ['package', 'x'])).toMatchObject({ code: 2 })
    expect(await command(chartsCommand, ['package', '--outt', 'x'])).toMatchObject({ code: 2 })
    expect(await command(chartsCommand, ['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('usage') as string })
  })
})

it('the table of base images is that of the recipes', async () => {
  const sources = { cacheDir: join(cacheDir, 'local'), nodeBinary: process.execPath }
  const recipes = await Promise.all(baseNames.map(async (name) => chooseBaseImage(name).recipe(sources)))
  const table = (list: readonly { readonly name: string; readonly supportedTypes: readonly string[] }[]): unknown => list.map(({ name, supportedTypes }) => ({ name, supportedTypes })).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  expect(table(baseImages)).toEqual(table(recipes))
})
