// Set division end to end: declared on TServers, in the conf of real services, in what the registry answers, and in the files that they read.
import { tmpdir } from 'node:os'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { createLogInfo, Log, type LogProxy } from '#tars/protocol/LogF.ts'
import { QueryF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { helloIdl } from '../../framework/local/samples/pack.ts'
import { LocalCluster, until, type Output } from '../rig/local-cluster.ts'
import { cacheDir } from '../rig/tools.ts'

let cluster: LocalCluster
const communicators: Communicator[] = []
const scratch = await mkdtemp(join(tmpdir(), 'tarsk8s-sets-'))

beforeAll(async () => {
  cluster = await LocalCluster.start(['--samples', '--cache', join(cacheDir, 'local')])
})

afterAll(async () => {
  await Promise.all(communicators.map((one) => one.close()))
  await cluster?.remove()
  await rm(scratch, { recursive: true, force: true })
})

function ok({ code, out, err }: Output): string {
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' })
  return out
}

const apply = async (object: object): Promise<void> => void ok(await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(object)))
const get = async (kind: string, name: string) => JSON.parse(ok(await cluster.kubectl(['get', kind, name, '-o', 'json']))) as { status: { podIP: string } }
const addressOf = async (pod: string) => (await get('pod', pod)).status.podIP

async function proxyAt<P extends object>(iface: Parameters<Communicator['proxy']>[0], object: string): Promise<P> {
  const communicator = new Communicator({ timeoutMs: 60_000 })
  communicators.push(communicator)
  return communicator.proxy<P>(iface, object)
}

/** The conf that tarsnode wrote for the service in a pod, seen from outside. */
async function confOf(pod: string): Promise<string> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const env = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    if (!env.split('\0').includes(`PodName=${pod}`) || !(await readFile(`/proc/${pid}/mountinfo`, 'utf8').catch(() => '')).includes(cluster.dataDir)) continue
    const conf = await readFile(`/proc/${pid}/root/usr/local/app/tars/tarsnode/data/Demo.HelloServer/conf/Demo.HelloServer.config.conf`, 'utf8').catch(() => '')
    if (conf !== '') return conf
  }
  throw new Error(`pod ${pod} has no process`)
}

it('pods of a server and of its variant are each of their set, for callers, in their conf, and for their files', async () => {
  const { locator = '' } = await cluster.info()
  const query = await proxyAt<QueryFProxy>(QueryF, locator)
  const object = 'Demo.HelloServer.HelloObj'
  const inSet = async (set: string) => {
    const answer = await query.findObjectByIdInSameSet(object, set)
    return answer.return === 0 ? answer.activeEp.map(({ nodeName, setId }) => `${nodeName} ${setId}`) : answer.return
  }
  expect(await inSet('x.y.1')).toEqual(['demo-helloserver-0.demo-helloserver '])

  // By number, of a server that runs already: callers know at once.
  const deploy = (server: string, ...args: string[]): Promise<Output> => cluster.cli('deploy', '--app', 'Demo', '--server', server, ...args)
  ok(await deploy('HelloServer', '--set', '0=x.y.1'))
  await until(async () => String(await inSet('x.y.1')) === 'demo-helloserver-0.demo-helloserver x.y.1')
  expect(await inSet('x.y.2')).toBe(-1)

  // By a second TServer of the server.
  expect(ok(await deploy('HelloServer/far', '--set', 'x.y.2'))).toMatch(/Demo\.HelloServer\/far .*1\/1 +Active +demo-helloserver-far-0 +Active/)
  await until(async () => String(await inSet('x.y.2')) === 'demo-helloserver-far-0.demo-helloserver-far x.y.2')
  expect(await inSet('x.y.*')).toEqual(['demo-helloserver-0.demo-helloserver x.y.1', 'demo-helloserver-far-0.demo-helloserver-far x.y.2'])
  expect(await inSet('x.z.1')).toBe(-1)
  expect((await query.findObjectByIdInSameGroup(object)).activeEp).toHaveLength(2)

  // The service that was started in the set knows it; the other one from its next start on.
  expect(await confOf('demo-helloserver-far-0')).toMatch(/enableset=y\n\s+setdivision=x\.y\.2\n/)
  expect(await confOf('demo-helloserver-far-0')).toContain('localip=demo-helloserver-far-0.demo-helloserver-far\n')
  expect(await confOf('demo-helloserver-0')).toMatch(/enableset=n\n\s+setdivision=NULL\n/)
  ok(await cluster.cli('restart', 'Demo.HelloServer'))
  await until(async () => (await confOf('demo-helloserver-0').catch(() => '')).includes('setdivision=x.y.1'))

  // And so each reads the file of its own set.
  const file = { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TConfig', app: 'Demo', server: 'HelloServer', configName: 'where.conf', activated: true }
  for (const group of [1, 2]) await apply({ ...file, metadata: { name: `where-${group}`, namespace: 'tars' }, set: `x.y.${group}`, configContent: `in ${group}\n` })
  const read = async (pod: string) => {
    const answer = await cluster.cli('call', `${object}@tcp -h ${await addressOf(pod)} -p 10001`, 'readConfig', '"where.conf"', '--tars', helloIdl)
    return answer.code === 0 && (JSON.parse(answer.out) as { content: string }).content
  }
  await until(async () => (await read('demo-helloserver-far-0')) === 'in 2\n')
  await until(async () => (await read('demo-helloserver-0')) === 'in 1\n')

  // tarslog keeps a folder a set.
  const log = await proxyAt<LogProxy>(Log, `tars.tarslog.LogObj@tcp -h ${await addressOf('tars-tarslog-0')} -p 12111`)
  await log.loggerbyInfo(createLogInfo({ appname: 'Demo', servername: 'HelloServer', sFilename: 'seen', sFormat: '%Y', setdivision: 'x.y.2' }), ['here\n'])
  expect(await readFile(join(cluster.dataDir, 'services/log/Demo/xy2/HelloServer', `Demo.HelloServer_seen_${new Date().getFullYear()}.log`), 'utf8')).toMatch(/\|here\n$/)
})
