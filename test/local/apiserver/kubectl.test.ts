// The machine's own kubectl against the API server, as an operator uses it.
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { customResourceDefinitions, events, nodes, pods } from '#kube/resources.ts'
import { behaviourCluster, embedded, eventually, installDefinition, widgetDefinition, widgets } from '../../rig/kube.ts'
import type { KubectlOptions, TestCluster } from '../../rig/kube.ts'

let cluster: TestCluster
let namespace: string
beforeAll(async () => {
  cluster = await behaviourCluster()
  await installDefinition(cluster.client, widgetDefinition())
  namespace = await cluster.namespace()
})
afterAll(() => cluster.stop())

/** Runs kubectl in the test's namespace and wants it to succeed. */
async function k(args: string, options: KubectlOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(['-n', namespace, ...args.split(' ')], options)
  expect(stderr, args).not.toMatch(/error|warning/i)
  expect(code, args).toBe(0)
  return stdout
}

/** What starts with a brace is JSON to newer kubectls. */
const yaml = (lines: string): KubectlOptions => ({ input: `---\n${lines}` })

const configMap = (value: string) => yaml(`{apiVersion: v1, kind: ConfigMap, metadata: {name: applied}, data: {key: "${value}"}}`)
const set = (image: string) => yaml(`
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web, labels: {app: web}}
spec:
  serviceName: web
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "${image}", env: [{name: A, value: "1"}], ports: [{containerPort: 80}]}
`)

describe('apply', () => {
  it('creates, says unchanged, and configures, without flags', async () => {
    expect(await k('apply -f -', configMap('1'))).toBe('configmap/applied created\n')
    expect(await k('apply -f -', configMap('1'))).toBe('configmap/applied unchanged\n')
    expect(await k('apply -f -', configMap('2'))).toBe('configmap/applied configured\n')
    expect(await k('get configmap applied -o jsonpath={.data.key}')).toBe('2')
  })
  it('configures a workload through strategic merge', async () => {
    expect(await k('apply -f -', set('x:1'))).toBe('statefulset.apps/web created\n')
    expect(await k('apply -f -', set('x:1'))).toBe('statefulset.apps/web unchanged\n')
    expect(await k('apply -f -', set('x:2'))).toBe('statefulset.apps/web configured\n')
    expect(await k('get sts web -o jsonpath={.spec.template.spec.containers[*].image}')).toBe('x:2')
  })
  it('applies and diffs custom kinds, and names an unknown field', async () => {
    const widget = (spec: string) => yaml(`{apiVersion: test.tarsk8s.io/v1, kind: Widget, metadata: {name: w}, spec: {${spec}}}`)
    expect(await k('apply -f -', widget('size: 1'))).toBe('widget.test.tarsk8s.io/w created\n')
    expect(await k('apply -f -', widget('size: 1'))).toBe('widget.test.tarsk8s.io/w unchanged\n')
    expect(await k('apply -f -', widget('size: 2, color: green'))).toBe('widget.test.tarsk8s.io/w configured\n')
    const refused = await cluster.kubectl(['-n', namespace, 'apply', '-f', '-'], widget('size: 3, sise: 4'))
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('unknown field "spec.sise"')
    const invalid = await cluster.kubectl(['-n', namespace, 'apply', '-f', '-'], widget('size: 99'))
    expect(invalid.stderr).toContain('spec.size: Invalid value: 99: spec.size in body should be less than or equal to 10')
  })
  it('applies server-side and reports conflicts', async () => {
    const body = (value: string) => yaml(`{apiVersion: v1, kind: ConfigMap, metadata: {name: ssa}, data: {key: "${value}"}}`)
    expect(await k('apply --server-side --field-manager=one -f -', body('1'))).toBe('configmap/ssa serverside-applied\n')
    const fight = await cluster.kubectl(['-n', namespace, 'apply', '--server-side', '--field-manager=two', '-f', '-'], body('2'))
    expect(fight.stderr).toContain('conflict with "one": .data.key')
    expect(await k('apply --server-side --field-manager=two --force-conflicts -f -', body('2'))).toContain('serverside-applied')
  })
  it('dry-runs on the server', async () => {
    expect(await k('apply --dry-run=server -f -', yaml('{apiVersion: v1, kind: ConfigMap, metadata: {name: dry}}'))).toBe('configmap/dry created (server dry run)\n')
    expect(await k('get configmaps -o name')).not.toContain('dry')
  })
})

describe('get', () => {
  it('shows the columns of custom kinds, short names, wide, yaml, json, names', async () => {
    await cluster.client.create(widgets, { metadata: { name: 'cols', namespace }, spec: { size: 7 } } as never)
    await cluster.client.patch(widgets, { namespace, name: 'cols' }, { status: { message: 'hello there' } }, { subresource: 'status' })
    const [head = '', row = ''] = (await k('get wd cols')).split('\n')
    expect(head.split(/\s+/)).toEqual(['NAME', 'SIZE', 'COLOR', 'AGE'])
    expect(row).toMatch(/^cols +7 +red +\d+s$/)
    expect(await k('get widgets.test.tarsk8s.io cols -o wide')).toMatch(/MESSAGE.*\n.*hello there/)
    expect(await k('get widget cols -o yaml')).toContain('size: 7')
    expect(JSON.parse(await k('get widget cols -o json'))).toMatchObject({ spec: { size: 7 } })
    expect(await k('get widget cols -o name')).toBe('widget.test.tarsk8s.io/cols\n')
    expect(await k('get widget cols -o custom-columns=N:.metadata.name,S:.spec.size --no-headers')).toMatch(/^cols +7\n$/)
  })
  it('shows pods as their status says', async () => {
    const target = { namespace, name: 'shown' }
    await cluster.client.create(pods, { metadata: target, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'x' }], readinessGates: [{ conditionType: 'tars.io/active' }] } } as never)
    const status = {
      phase: 'Running', podIP: '10.1.2.3', conditions: [{ type: 'tars.io/active', status: 'True' }],
      containerStatuses: [{ name: 'c', image: 'x', imageID: '', ready: false, restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 1, finishedAt: new Date().toISOString() } } }],
    }
    await cluster.client.patch(pods, target, { status }, { type: 'strategic', subresource: 'status' })
    const [head = '', row = ''] = (await k('get pods shown -o wide')).split('\n')
    expect(head.split(/ {2,}/)).toEqual(['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'IP', 'NODE', 'NOMINATED NODE', 'READINESS GATES'])
    expect(row).toMatch(/^shown +0\/1 +CrashLoopBackOff +4 \(\d+s ago\) +\d+s +10\.1\.2\.3 +n1 +<none> +1\/1$/)
    await cluster.client.delete(pods, target, { gracePeriodSeconds: 0 })
  })
  it('lists several kinds at once and across namespaces', async () => {
    expect(await k('get configmaps,statefulsets')).toMatch(/configmap\/applied[\s\S]*statefulset\.apps\/web +0\/2/)
    expect(await k('get all')).toContain('statefulset.apps/web')
    expect(await k('get widgets -A')).toContain(namespace)
  })
  it('follows with -w while objects change', async () => {
    const watching = cluster.kubectlProcess(['-n', namespace, 'get', 'widgets', '-w', '--no-headers', '-l', 'followed=yes'])
    try {
      const lines: string[] = []
      if (watching.stdout !== null) createInterface({ input: watching.stdout }).on('line', (line) => lines.push(line))
      const target = { namespace, name: 'followed' }
      await cluster.client.create(widgets, { metadata: { ...target, labels: { followed: 'yes' } }, spec: { size: 1 } } as never)
      await eventually(() => lines.length === 1, 'the creation is shown')
      await cluster.client.patch(widgets, target, { spec: { size: 2 } })
      await eventually(() => lines.length === 2, 'the change is shown')
      await cluster.client.delete(widgets, target)
      await eventually(() => lines.length === 3, 'the deletion is shown')
      expect(lines.map((line) => line.trim().split(/\s+/).slice(0, 3).join(' '))).toEqual(['followed 1 red', 'followed 2 red', 'followed 2 red'])
    } finally {
      watching.kill()
    }
  })
})

describe('change', () => {
  it('edits in an editor', async () => {
    const editor = join(cluster.folder, 'editor')
    writeFileSync(editor, '#!/bin/sh\nsed -i "s/$FROM/$TO/" "$1"\n')
    chmodSync(editor, 0o755)
    await cluster.client.create(widgets, { metadata: { name: 'edited', namespace }, spec: { size: 3 } } as never)
    expect(await k('edit widget edited', { env: { EDITOR: editor, FROM: 'size: 3', TO: 'size: 4' } })).toBe('widget.test.tarsk8s.io/edited edited\n')
    expect((await cluster.client.get(widgets, { namespace, name: 'edited' }))['spec'].size).toBe(4)
    expect(await k('edit sts web', { env: { EDITOR: editor, FROM: 'replicas: 2', TO: 'replicas: 3' } })).toBe('statefulset.apps/web edited\n')
    expect(await k('get sts web -o jsonpath={.spec.replicas}')).toBe('3')
  })
  it('scales, patches, labels, annotates', async () => {
    expect(await k('scale sts web --replicas=5')).toBe('statefulset.apps/web scaled\n')
    expect(await k('get sts web -o jsonpath={.spec.replicas}')).toBe('5')
    expect(await k('scale widget edited --replicas=6')).toBe('widget.test.tarsk8s.io/edited scaled\n')
    expect(await k('get widget edited -o jsonpath={.spec.size}')).toBe('6')
    expect(await k('patch widget edited --type=merge -p {"spec":{"color":"green"}}')).toBe('widget.test.tarsk8s.io/edited patched\n')
    expect(await k('patch widget edited --type=json -p [{"op":"replace","path":"/spec/size","value":2}]')).toContain('patched')
    expect(await k('label widget edited tier=front')).toBe('widget.test.tarsk8s.io/edited labeled\n')
    expect(await k('annotate widget edited note=x')).toBe('widget.test.tarsk8s.io/edited annotated\n')
    expect(await k('set image sts/web web=x:9')).toBe('statefulset.apps/web image updated\n')
    expect(await k('get widgets -l tier=front -o name')).toBe('widget.test.tarsk8s.io/edited\n')
  })
  it('replaces, and deletes by name, selector and file, waiting for the end', async () => {
    await cluster.client.create(widgets, { metadata: { name: 'doomed', namespace, labels: { doomed: 'yes' } }, spec: { size: 3 } } as never)
    expect(await k('delete widget doomed')).toBe(`widget.test.tarsk8s.io "doomed" deleted\n`)
    await cluster.client.create(widgets, { metadata: { name: 'doomed', namespace, labels: { doomed: 'yes' } }, spec: { size: 3 } } as never)
    expect(await k('delete widgets -l doomed=yes')).toContain('deleted')
    expect(await k('delete -f -', configMap('2'))).toBe('configmap "applied" deleted\n')
    const gone = await cluster.kubectl(['-n', namespace, 'get', 'configmap', 'applied'])
    expect(gone).toMatchObject({ code: 1, stderr: 'Error from server (NotFound): configmaps "applied" not found\n' })
  })
  it('creates what it sends as protobuf', async () => {
    const own = `${namespace}-k`
    expect(await k(`create namespace ${own}`)).toBe(`namespace/${own} created\n`)
    expect(await k('create configmap made --from-literal=a=b')).toBe('configmap/made created\n')
    expect(await k('create secret generic made --from-literal=a=b')).toBe('secret/made created\n')
    expect(await k('get secret made -o jsonpath={.data.a}')).toBe('Yg==')
    expect(await k('create serviceaccount made')).toBe('serviceaccount/made created\n')
    expect(await k('create service clusterip made --clusterip=None --tcp=80:8080')).toBe('service/made created\n')
    expect(await k('get service made -o jsonpath={.spec.ports[0].port}-{.spec.ports[0].targetPort}')).toBe('80-8080')
    expect(await k('auth can-i create pods')).toBe('yes\n')
    expect(await cluster.kubectl(['delete', 'namespace', own])).toMatchObject({ code: 0, stdout: `namespace "${own}" deleted\n` })
  })
})

describe('explain and describe', () => {
  it('explains custom kinds from their schema', async () => {
    const text = await k('explain widget.spec.size')
    expect(text).toContain('FIELD: size <integer>')
    expect(text).toContain('How large it is.')
  })
  it('describes a pod with its events, a widget, a node', async () => {
    const made = await cluster.client.create(pods, { metadata: { name: 'told', namespace }, spec: { containers: [{ name: 'c', image: 'x' }] } } as never)
    const involvedObject = { kind: 'Pod', namespace, name: 'told', uid: made.metadata.uid, apiVersion: 'v1' }
    await cluster.client.create(events, { metadata: { name: 'told.1', namespace }, involvedObject, reason: 'Pulled', message: 'image is there', type: 'Normal', source: { component: 'kubelet' }, firstTimestamp: new Date().toISOString(), lastTimestamp: new Date().toISOString(), count: 1 } as never)
    expect(await k('describe pod told')).toMatch(/Name:\s+told[\s\S]*Pulled.*image is there/)
    expect(await k('get events')).toMatch(/Normal +Pulled +pod\/told +image is there/)
    expect(await k('describe widget edited')).toContain('Tier=front'.toLowerCase())
    const name = `node-${namespace}`
    await cluster.client.create(nodes, { metadata: { name }, status: { conditions: [{ type: 'Ready', status: 'True', reason: 'Up', message: 'up' }] } } as never)
    expect(await k(`describe node ${name}`)).toContain('Non-terminated Pods')
    expect(await k(`get node ${name}`)).toMatch(/Ready +<none>/)
    await cluster.client.delete(nodes, { name })
  })
  it('knows kinds by discovery, and waits for conditions', async () => {
    expect(await k('api-resources --api-group=test.tarsk8s.io --no-headers')).toMatch(/^widgets +wd +test\.tarsk8s\.io\/v1 +true +Widget\n$/)
    expect(await k('wait --for=condition=established crd/widgets.test.tarsk8s.io')).toContain('condition met')
    expect((await cluster.client.get(customResourceDefinitions, { name: 'widgets.test.tarsk8s.io' }))['status'].storedVersions).toEqual(['v1'])
  })
})

if (embedded) describe('credentials', () => {
  it('refuses a wrong token', async () => {
    const refused = await cluster.kubectl(['--token', 'wrong', 'get', 'pods'])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/must be logged in|Unauthorized/)
  })
})
