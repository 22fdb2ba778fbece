import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { which } from '../../rig/tools.ts'
import { startRig } from './rig.ts'
import type { Rig } from './rig.ts'

const run = promisify(execFile)
let rig: Rig
let kubeconfig = ''
beforeAll(async () => {
  rig = await startRig()
  kubeconfig = join(rig.dir, 'kubeconfig')
  writeFileSync(kubeconfig, rig.kubeconfig)
})
afterAll(() => rig?.stop())

const program = which('kubectl') ?? 'kubectl'
const arguments_ = (args: readonly string[]): string[] => ['--kubeconfig', kubeconfig, ...args]
const kubectl = async (...args: string[]): Promise<string> => (await run(program, arguments_(args))).stdout

test('an operator with kubectl: apply, wait, logs -f, describe, scale, delete', async () => {
  const labels = { app: 'shell' }
  const container = { name: 'main', image: rig.image, command: ['sh', '-c', 'trap "echo bye; exit 0" TERM; echo hello; sleep 1000 & wait'] }
  const manifest = { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'shell' }, spec: { replicas: 1, serviceName: 'shell', selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container], terminationGracePeriodSeconds: 60 } } } }
  const file = join(rig.dir, 'set.json')
  writeFileSync(file, JSON.stringify(manifest))
  expect(await kubectl('apply', '-f', file)).toContain('statefulset.apps/shell created')
  expect(await kubectl('rollout', 'status', 'statefulset/shell', '--timeout=250s')).toContain('complete')
  expect(await kubectl('get', 'pods', '-o', 'wide')).toMatch(new RegExp(`shell-0\\s+1/1\\s+Running\\s+0\\s+\\S+\\s+${rig.subnet.replaceAll('.', '\\.')}\\.\\d+\\s+local`))
  expect(await kubectl('describe', 'pod', 'shell-0')).toMatch(/Started container main/)
  expect(await kubectl('get', 'nodes')).toMatch(/local\s+Ready/)

  const follower = spawn(program, arguments_(['logs', '-f', 'shell-0']), { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  const reader = createInterface({ input: follower.stdout }).on('line', (line) => lines.push(line))
  const ended = once(follower, 'close')
  await once(reader, 'line')
  await kubectl('scale', 'statefulset/shell', '--replicas=0')
  await kubectl('wait', '--for=delete', 'pod/shell-0', '--timeout=250s')
  await ended
  expect(lines).toEqual(['hello', 'bye'])
  await kubectl('delete', 'statefulset', 'shell')
})

test('kubectl shows how far the init containers are, and what they wrote', async () => {
  const go = join(rig.dir, 'go')
  mkdirSync(go)
  const init = { name: 'tarsnode', image: rig.image, command: ['sh', '-c', 'echo copying; while [ ! -e /host/on ]; do sleep 0.05; done; echo copied'], volumeMounts: [{ name: 'h', mountPath: '/host' }] }
  const main = { name: 'main', image: rig.image, command: ['sh', '-c', 'trap "exit 0" TERM; echo hello; sleep 1000 & wait'] }
  const file = join(rig.dir, 'init.json')
  writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'staged' }, spec: { initContainers: [init], containers: [main], volumes: [{ name: 'h', hostPath: { path: go } }] } }))
  await kubectl('apply', '-f', file)
  await kubectl('wait', '--for=jsonpath={.status.initContainerStatuses[0].state.running}', 'pod/staged', '--timeout=250s')
  expect(await kubectl('get', 'pod', 'staged')).toMatch(/staged\s+0\/1\s+Init:0\/1\s+0/)
  writeFileSync(join(go, 'on'), '')
  await kubectl('wait', '--for=condition=Ready', 'pod/staged', '--timeout=250s')
  expect(await kubectl('get', 'pod', 'staged')).toMatch(/staged\s+1\/1\s+Running/)
  expect(await kubectl('logs', 'staged', '-c', 'tarsnode')).toBe('copying\ncopied\n')
  expect(await kubectl('logs', 'staged')).toBe('hello\n')
  await kubectl('delete', 'pod', 'staged', '--grace-period=5')
})
