import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { configMaps, persistentVolumeClaims, persistentVolumes, secrets } from '#kube/resources.ts'
import { podResource } from '../../../framework/local/pods/kinds.ts'
import type { Pod } from '../../../framework/local/pods/kinds.ts'
import { busyboxLayer, isReadyPod, logOf, namespace, podOf, podWhen, pushImage, startRig, statusOf } from './rig.ts'
import type { Rig } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig?.stop())

const gone = async (name: string) => {
  await rig.client.delete(podResource, { namespace, name }, { gracePeriodSeconds: 0 })
  await podWhen(rig.client, name, (pod) => pod === undefined)
}

/** Runs a pod to its end and returns what it wrote. */
async function output(pod: Pod): Promise<string> {
  const once = { ...pod, spec: { ...pod.spec, restartPolicy: 'Never' as const } }
  await rig.client.create(podResource, once)
  const ended = await podWhen(rig.client, pod.metadata.name, (seen) => seen?.status?.phase === 'Succeeded' || seen?.status?.phase === 'Failed')
  expect(statusOf(ended)?.state.terminated).toMatchObject({ exitCode: 0 })
  const text = await logOf(rig, pod.metadata.name)
  await gone(pod.metadata.name)
  return text
}

test('entry point, environment, working directory and user come from the image, and the spec overrides them', async () => {
  const config = { Entrypoint: ['sh', '-c'], Cmd: ['echo image; id -u; id -g; id -G; pwd; echo $GREETING $HOME $HOSTNAME'], Env: ['GREETING=hello', 'PATH=/bin'], WorkingDir: '/srv/app', User: 'app' }
  const image = await pushImage(rig.registry.address, 'configured', { layers: [await busyboxLayer()], config })
  const plain = podOf('plain', image, '')
  expect(await output({ ...plain, spec: { containers: [{ name: 'main', image }] } })).toBe('image\n1001\n1002\n1002 1003\n/srv/app\nhello / plain\n')
  const container = { name: 'main', image, args: ['id -u; pwd; echo $GREETING'], workingDir: '/tmp', env: [{ name: 'GREETING', value: 'hi' }], securityContext: { runAsUser: 7 } }
  expect(await output({ ...plain, metadata: { ...plain.metadata, name: 'spec' }, spec: { containers: [container] } })).toBe('7\n/tmp\nhi\n')
})

test('environment: downward API, ConfigMap and Secret keys, $(NAME) from what comes before', async () => {
  await rig.client.create(configMaps, { metadata: { name: 'settings', namespace }, data: { level: 'debug', 'other.key': 'x' } } as object as { metadata: { name: string } })
  await rig.client.create(secrets, { metadata: { name: 'token', namespace }, data: { password: Buffer.from('s3cret').toString('base64') } } as object as { metadata: { name: string } })
  const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } })
  const env = [
    field('POD', 'metadata.name'), field('NS', 'metadata.namespace'), field('IP', 'status.podIP'), field('NODE', 'spec.nodeName'), field('APP', "metadata.labels['tars.io/ServerApp']"),
    { name: 'LEVEL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'level' } } },
    { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'token', key: 'password' } } },
    { name: 'NONE', valueFrom: { configMapKeyRef: { name: 'absent', key: 'x', optional: true } } },
    { name: 'JOINED', value: '$(NS)/$(POD) $$(POD) $(UNKNOWN)' },
  ]
  const pod = podOf('environment', rig.image, 'env', { container: { env, envFrom: [{ prefix: 'S_', configMapRef: { name: 'settings' } }] }, labels: { 'tars.io/ServerApp': 'Demo' } })
  const lines = (await output(pod)).split('\n')
  for (const line of ['POD=environment', 'NS=tars', 'NODE=local', 'APP=Demo', 'LEVEL=debug', 'PASSWORD=s3cret', 'S_level=debug', 'JOINED=tars/environment $(POD) $(UNKNOWN)']) expect(lines).toContain(line)
  expect(lines.find((line) => line.startsWith('IP='))).toMatch(`IP=${rig.subnet}.`)
  expect(lines.find((line) => line.startsWith('TARSNODE_LOCAL_ADDRESS='))).toMatch(`=${rig.subnet}.`)
  expect(lines.some((line) => line.startsWith('NONE='))).toBe(false)
})

test('a ConfigMap that is missing: CreateContainerConfigError naming it, running once it is there', async () => {
  const env = [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'later', key: 'x' } } }]
  await rig.client.create(podResource, podOf('needy', rig.image, 'trap "exit 0" TERM; sleep 1000 & wait', { container: { env } }))
  const waiting = await podWhen(rig.client, 'needy', (pod) => statusOf(pod)?.state.waiting?.reason === 'CreateContainerConfigError')
  expect(statusOf(waiting)?.state.waiting?.message).toContain('ConfigMap later is not there')
  await rig.client.create(configMaps, { metadata: { name: 'later', namespace }, data: { x: '1' } } as object as { metadata: { name: string } })
  await podWhen(rig.client, 'needy', isReadyPod)
  await gone('needy')
})

test('volumes: emptyDir, hostPath with subPathExpr, ConfigMap with modes, Secret, downward API, read-only', async () => {
  await rig.client.create(configMaps, { metadata: { name: 'files', namespace }, data: { 'run.sh': 'echo from config', other: 'x' } } as object as { metadata: { name: string } })
  await rig.client.create(secrets, { metadata: { name: 'keys', namespace }, data: { key: Buffer.from('k').toString('base64') } } as object as { metadata: { name: string } })
  const host = join(rig.dir, 'host')
  mkdirSync(host)
  const volumes = [
    { name: 'work', emptyDir: {} },
    { name: 'host', hostPath: { path: host, type: 'Directory' } },
    { name: 'absent', hostPath: { path: join(rig.dir, 'nowhere') } },
    { name: 'files', configMap: { name: 'files', items: [{ key: 'run.sh', path: 'bin/run.sh', mode: 0o755 }] } },
    { name: 'keys', secret: { secretName: 'keys', defaultMode: 0o400 } },
    { name: 'about', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
  ]
  const volumeMounts = [
    { name: 'work', mountPath: '/work' },
    { name: 'host', mountPath: '/logs', subPathExpr: '$(NS)/$(POD)' },
    { name: 'absent', mountPath: '/absent' },
    { name: 'files', mountPath: '/files', readOnly: true },
    { name: 'keys', mountPath: '/keys' },
    { name: 'about', mountPath: '/about' },
  ]
  const env = [{ name: 'NS', value: 'n' }, { name: 'POD', value: 'p' }]
  const script = 'echo w > /work/x && cat /work/x; /files/bin/run.sh || sh /files/bin/run.sh; stat -c %a /files/bin/run.sh /keys/key; touch /files/no || echo read-only; echo log > /logs/l; cat /about/labels; ls -d /absent'
  const text = await output(podOf('volumes', rig.image, `${script}; true`, { container: { env, volumeMounts }, spec: { volumes }, labels: { a: 'b' } }))
  expect(text).toContain('w\nfrom config\n755\n400\n')
  expect(text).toContain('read-only')
  expect(text).toContain('a="b"')
  expect(readFileSync(join(host, 'n/p/l'), 'utf8')).toBe('log\n')
})

test('a subPath through a link that leads out of its volume is refused', async () => {
  const host = join(rig.dir, 'trap')
  mkdirSync(host)
  symlinkSync('/etc', join(host, 'out'))
  const spec = { volumes: [{ name: 'v', hostPath: { path: host } }] }
  await rig.client.create(podResource, podOf('escape', rig.image, 'cat /v/passwd', { container: { volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'out' }] }, spec }))
  const pod = await podWhen(rig.client, 'escape', (seen) => statusOf(seen)?.state.waiting?.reason === 'CreateContainerConfigError')
  expect(statusOf(pod)?.state.waiting?.message).toContain('leads out of the volume')
  await gone('escape')
})

test('a claim is bound to a folder that outlives pods and goes with the claim', async () => {
  const claim = { metadata: { name: 'data', namespace, annotations: { 'tars.io/LocalVolumeMode': '750', 'tars.io/LocalVolumeUID': '1001' } }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }
  await rig.client.create(persistentVolumeClaims, claim as object as { metadata: { name: string } })
  const more = { container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] }, spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] } }
  expect(await output(podOf('writer', rig.image, 'stat -c "%a %u" /data; echo kept > /data/f', more))).toBe('750 1001\n')
  expect(await output(podOf('reader', rig.image, 'cat /data/f', more))).toBe('kept\n')
  const bound = await rig.client.get(persistentVolumeClaims, { namespace, name: 'data' })
  expect(bound['status']).toMatchObject({ phase: 'Bound' })
  await rig.client.delete(persistentVolumeClaims, { namespace, name: 'data' })
  for (;;) if ((await rig.client.list(persistentVolumes)).items.length === 0) break
})

test('a container can do what services need and nothing to the machine', async () => {
  const script = 'grep CapEff /proc/self/status; mount -t tmpfs none /tmp || echo no mounts; echo 1 > /sys/kernel/mm/ksm/run || echo no sysfs; ls /dev; grep SigIgn /proc/self/status; true'
  const text = await output(podOf('confined', rig.image, script))
  expect(text).toContain('CapEff:\t00000000a80425fb')
  expect(text).toContain('no mounts')
  expect(text).toContain('no sysfs')
  expect(text.split('\n')).toEqual(expect.arrayContaining(['null', 'urandom', 'shm', 'stdout']))
  expect(text).toContain('SigIgn:\t0000000000000000')
})

test('the hosts file of a running pod shows pods that come later', async () => {
  const script = 'until grep -q web-0.web /etc/hosts; do sleep 0.02; done; grep web-0 /etc/hosts; cat /etc/hostname; touch /etc/hosts-copy'
  const reading = output(podOf('early', rig.image, script))
  const pod = podOf('web-0', rig.image, 'trap "exit 0" TERM; sleep 1000 & wait', { spec: { hostname: 'web-0', subdomain: 'web' } })
  await rig.client.create(podResource, pod)
  const text = await reading
  expect(text).toContain('web-0 web-0.web web-0.web.tars web-0.web.tars.svc web-0.web.tars.svc.cluster.local')
  expect(text).toContain('early')
  await gone('web-0')
})

test('pods listen on their own addresses, all on the same port', async () => {
  const serve = (name: string) => podOf(name, rig.image, 'echo hello from $POD > /tmp/index.html; exec busybox httpd -f -p $IP:7070 -h /tmp', { container: { env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }, { name: 'POD', value: name }] } })
  await Promise.all(['one', 'two'].map((name) => rig.client.create(podResource, serve(name))))
  const ready = await Promise.all(['one', 'two'].map((name) => podWhen(rig.client, name, isReadyPod)))
  for (const pod of ready) {
    const text = await output(podOf('caller', rig.image, `until wget -q -O - http://${pod?.status?.podIP}:7070/; do sleep 0.05; done`))
    expect(text).toBe(`hello from ${pod?.metadata.name}\n`)
  }
  await Promise.all(['one', 'two'].map(gone))
})

test('probes: unready until the readiness probe passes, started again when the liveness probe fails', async () => {
  const probe = { httpGet: { port: 7171, path: '/tmp/' }, periodSeconds: 1, failureThreshold: 1 }
  const env = [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }]
  await rig.client.create(podResource, podOf('probed', rig.image, 'trap "exit 0" TERM; while [ ! -e /host/go ]; do sleep 0.05; done; touch /tmp/index.html; exec busybox httpd -f -p $IP:7171', {
    container: { env, readinessProbe: probe, volumeMounts: [{ name: 'h', mountPath: '/host' }] }, spec: { volumes: [{ name: 'h', hostPath: { path: rig.dir } }] },
  }))
  const unready = await podWhen(rig.client, 'probed', (pod) => statusOf(pod)?.started === true)
  expect(isReadyPod(unready)).toBe(false)
  writeFileSync(join(rig.dir, 'go'), '')
  await podWhen(rig.client, 'probed', isReadyPod)
  await gone('probed')
  await rig.client.create(podResource, podOf('dead', rig.image, 'trap "exit 0" TERM; sleep 1000 & wait', { container: { livenessProbe: { tcpSocket: { port: 7172 }, periodSeconds: 1, failureThreshold: 1 } } }))
  await podWhen(rig.client, 'dead', (pod) => (statusOf(pod)?.restartCount ?? 0) > 0)
  await gone('dead')
})
