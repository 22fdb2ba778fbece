// From nothing to a service that answers, and back, on a real Kubernetes, by what an operator types: images, charts, release, deploy.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { helloIdl, packSamples } from '../../framework/local/samples/pack.ts'
import { packCharts } from '../charts/rig.ts'
import { run } from '../rig/local-cluster.ts'
import { cacheDir, which } from '../rig/tools.ts'
import { agentFolders, Installation } from './installation.ts'

let cluster: Installation
let charts: Awaited<ReturnType<typeof packCharts>>
beforeAll(async () => {
  cluster = await Installation.start()
  await cluster.push('1.0.0')
  charts = await packCharts(cluster.dir, '1.0.0', '--registry', `${cluster.registry.address}/tars`)
})
afterAll(() => cluster?.stop())

test('both charts are installed, a package is released and deployed, answers a call, and all is uninstalled', { timeout: 600_000 }, async () => {
  const { namespace, registry, kubectl } = cluster
  const inNamespace = (...args: readonly string[]): Promise<string> => kubectl.call(cluster, '-n', namespace, ...args)
  await cluster.helm('install', 'tarscontroller', charts.tarscontroller, '--set', agentFolders)
  await cluster.controllerReady()
  await cluster.labelNode()
  await cluster.kubectl('-n', 'tars-system', 'wait', '--for=jsonpath={.status.numberReady}=1', 'daemonset/tars-agent', '--timeout=120s')

  // Nothing of the host gets into pods here.
  await cluster.kubectl('create', 'namespace', namespace)
  await cluster.kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=baseline')
  const values = [`upload.registry=${registry.address}/services`, 'servers.registry.replicas=1', 'servers.image.env[0].name=TARSIMAGE_INSECURE_REGISTRIES', `servers.image.env[0].value=${registry.address}`, 'bases={nodejsbase}']
  await cluster.helm('install', 'tars', charts.tarsframework, '-n', namespace, '--set', values.join(','), '--timeout', '180s')
  await cluster.frameworkReady()
  expect(await cluster.kubectl('get', 'mutatingwebhookconfiguration', 'tars-mutating-webhook', '-o', 'jsonpath={.webhooks[*].name}')).toContain('tars.io')

  // The framework's own pods would do with less; kubectl warns of those that would not.
  const { code, err } = await run(which('kubectl') ?? 'kubectl', ['--kubeconfig', cluster.kubeconfig, 'label', '--dry-run=server', '--overwrite', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  await inNamespace('patch', 'tframeworkconfig', 'tars-framework', '--type', 'merge', '-p', '{"hostTimezone": false}')

  const [hello] = await packSamples({ cacheDir: join(cacheDir, 'local') })
  await cluster.tarsk8s('release', hello.file, '--app', 'Demo', '--server', 'HelloServer', '--type', 'nodejs')
  await cluster.tarsk8s('deploy', '--app', 'Demo', '--server', 'HelloServer', '--servant', 'HelloObj:10001', '--release', 'latest')
  expect(await cluster.tarsk8s('status')).toMatch(/Demo\.HelloServer .* 1\/1 .* Active/)
  expect(await inNamespace('get', 'pod', 'demo-helloserver-0', '-o', 'jsonpath={.spec.containers[0].image}')).toContain(`${registry.address}/services/demo.helloserver:`)
  // Names of pods are known within the cluster only.
  await writeFile(join(cluster.dir, 'hosts'), `${await cluster.addressOf('demo-helloserver-0')} demo-helloserver-0.demo-helloserver\n`)
  expect(await cluster.tarsk8s('call', 'Demo.HelloServer.HelloObj', 'greet', '"world"', '--tars', helloIdl)).toContain('world')

  expect(await cluster.helm('uninstall', 'tars', '-n', namespace)).toMatch(/uninstalled/)
  await inNamespace('wait', '--for=delete', 'pod/tars-tarsregistry-0', '--timeout=120s')
  expect(await inNamespace('get', 'timages', '-o', 'name')).toContain('demo-helloserver')
})
