// What Prometheus finds: every role of a running cluster has /metrics that its own parser reads and its linter has nothing against, and
// labels whose values nobody from outside can make more of.
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { frameworkRoles, frameworkServerName, metricsPorts } from '#api/seed/servers.ts'
import { LocalCluster, until } from '../rig/local-cluster.ts'
import { startPromLint, type Exposition, type PromLint } from '../rig/promlint.ts'
import { cacheDir } from '../rig/tools.ts'

let cluster: LocalCluster
let lint: PromLint
let addresses: ReadonlyMap<string, string>

beforeAll(async () => {
  lint = await startPromLint()
  cluster = await LocalCluster.start(['--samples', '--cache', join(cacheDir, 'local')])
  addresses = await until(async () => {
    const { items } = JSON.parse((await cluster.kubectl(['get', 'pods', '-o', 'json'])).out) as { items: { metadata: { name: string }; status: { podIP?: string } }[] }
    const found = new Map(items.map(({ metadata: { name }, status: { podIP = '' } }) => [name, podIP]))
    return frameworkRoles.every((role) => (found.get(`${frameworkServerName(role)}-0`) ?? '') !== '') && found
  })
})

afterAll(async () => {
  await lint?.stop()
  await cluster?.remove()
})

async function read(host: string | undefined, port: number, path = '/metrics'): Promise<Exposition> {
  const answer = await fetch(`http://${host}:${port}${path}`)
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
  return lint.read(await answer.text())
}

/** Labels by what bounds them: words of ours, or what the framework itself has (functions, routes, adapters of one service). */
const bounded = new Set(['servant', 'function', 'ret', 'method', 'route', 'status', 'result', 'reason', 'mode', 'dataset', 'state', 'adapter', 'app', 'server', 'type', 'pod'])

function check({ problems, families }: Exposition, whose: string): void {
  expect({ whose, problems }).toEqual({ whose, problems: [] })
  for (const [name, { help, type, labels }] of Object.entries(families)) {
    expect({ name, help: help.length > 0, type }).toEqual({ name, help: true, type: name.endsWith('_total') ? 'counter' : 'gauge' })
    expect({ name, unbounded: Object.keys(labels ?? {}).filter((label) => !bounded.has(label)) }).toEqual({ name, unbounded: [] })
  }
}

test.each(frameworkRoles)('%s', async (role) => {
  const port = role === 'image' || role === 'admin' ? Number(new URL((await cluster.info())[`${role}Url`] ?? '').port || 80) : metricsPorts[role]
  const host = role === 'image' || role === 'admin' ? new URL((await cluster.info())[`${role}Url`] ?? '').hostname : addresses.get(`${frameworkServerName(role)}-0`)
  const found = await read(host, port)
  check(found, role)
  expect(Object.keys(found.families)).toEqual(expect.arrayContaining(['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds']))
  // Something of its own, too.
  expect(Object.keys(found.families).some((name) => !/^(process|nodejs)_/.test(name))).toBe(true)
})

test('tarsnode, in the pod of a service', async () => {
  const found = await read(addresses.get('demo-helloserver-0'), 19387)
  check(found, 'tarsnode')
  expect(found.families['tarsnode_info']?.labels?.['server']).toEqual(['HelloServer'])
})

test('calls and properties are read, too', async () => {
  for (const [role, path] of [['stat', '/calls'], ['property', '/properties']] as const) {
    const { problems } = await read(addresses.get(`${frameworkServerName(role)}-0`), metricsPorts[role], path)
    expect({ path, problems }).toEqual({ path, problems: [] })
  }
})
