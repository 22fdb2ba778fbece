// Servants for tools want a token where tokens are given, in the context of a request or in the question of the text protocol; and an account of a
// connection where accounts are.
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { completeServer } from '#api/default.ts'
import { resources } from '#api/resources.ts'
import { silentLogger } from '#base/log.ts'
import { Communicator } from '#tars/client.ts'
import { AdminReg, type AdminRegProxy, type FrameworkServer } from '#tars/protocol/AdminReg.ts'
import { createMonitorQueryReq, MonitorQuery, type MonitorQueryProxy } from '#tars/protocol/MonitorQuery.ts'
import { TokenFolder, tokensEnv } from '#tars/tokens.ts'
import { start as startAdminRegistry } from '../../framework/admin/adminreg/role.ts'
import { start as startQuery } from '../../framework/query/querystat.ts'
import { createEndpoint, createPod, namespace, startCluster, type TestCluster } from '../registry/cluster.ts'
import { ownAddress } from '../rig/own-address.ts'

const [ops, ci] = ['of-operators-0123456789', 'of-the-ci-0123456789']
const communicator = new Communicator({ timeoutMs: 60_000 })
let folder: string
let cluster: TestCluster
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-tokens-'))
  await mkdir(join(folder, 'tokens'))
  await writeFile(join(folder, 'tokens/ops'), `${ops}\n`)
  await writeFile(join(folder, 'tokens/short'), 'x')
  cluster = await startCluster()
  await writeFile(join(folder, 'kubeconfig'), cluster.api.kubeconfig())
})
afterAll(async () => {
  await communicator.close()
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
})

const env = (address: string) => ({ KUBECONFIG: join(folder, 'kubeconfig'), Namespace: namespace, PodName: 'p', PodIP: address, TARS_TOKENS: join(folder, 'tokens') })
const address = ownAddress()
const context = (token: string) => ({ context: { token } })
const refusal = /wants a token that it knows/

test('AdminRegObj answers who has one, pings everybody, and tells a stranger no more than that', async () => {
  const running = await startAdminRegistry({ env: env(address), log: silentLogger, signal: new AbortController().signal })
  try {
    const object = `tars.tarsAdminRegistry.AdminRegObj@tcp -h ${address} -p 19111`
    const admin = communicator.proxy<AdminRegProxy>(AdminReg, object)
    expect(await admin.getServers(context(ops))).toMatchObject({ return: 0 })
    await expect(admin.getServers()).rejects.toThrow(refusal)
    for (const token of ['', 'x', ops.slice(1), `${ops} `, ops.toUpperCase(), 'y'.repeat(100_000)]) await expect(admin.getServers(context(token))).rejects.toThrow(refusal)
    await expect(admin.shutdownNode('n')).rejects.toThrow(refusal)
    await communicator.ping(object)
  } finally {
    await running.stop()
  }
})

test('AdminRegObj serves who shows an account, where it wants one, and asks others of the framework by its own', async () => {
  const accounts = join(folder, 'accounts')
  await mkdir(accounts)
  for (const [key, secret] of [['tars', 'of-the-roles'], ['dcache', 'of-dcache']] as const) await writeFile(join(accounts, key), `${secret}\n`)
  const own = { TARS_AUTH: 'tars.tarsAdminRegistry.AdminRegObj', TARS_ACCOUNTS: accounts, TARS_ACCESS_KEY: 'tars', TARS_SECRET_KEY: 'of-the-roles' }
  const servant = { name: 'AdminRegObj', port: 19111, auth: true }
  await cluster.client.create(resources.tservers, completeServer({ name: 'tars-tarsadminregistry', namespace }, { app: 'tars', server: 'tarsAdminRegistry', subType: 'tars', tars: { template: 'tars.cpp', servants: [servant] }, k8s: {} }) as never)
  await createEndpoint(cluster.client, 'tars', 'tarsAdminRegistry', [servant])
  const { metadata: { uid = '' } } = await createPod(cluster.client, { app: 'tars', server: 'tarsAdminRegistry', name: 'tars-tarsadminregistry-0', ip: address })
  const at = { metadata: { name: 'tars-tarsadminregistry' }, status: { pods: [{ uid, name: 'tars-tarsadminregistry-0', podIP: address, hostIP: address, presentState: 'Active', settingState: 'Active' }] } }
  await cluster.client.patch(resources.tendpoints, { namespace, name: 'tars-tarsadminregistry' }, at, { subresource: 'status' })
  const running = await startAdminRegistry({ env: { ...env(address), TARS_TOKENS: '', ...own }, log: silentLogger, signal: new AbortController().signal })
  const object = `tars.tarsAdminRegistry.AdminRegObj@tcp -h ${address} -p 19111`
  const known = new Communicator({ timeoutMs: 60_000, account: () => ({ accessKey: 'dcache', secretKey: 'of-dcache' }) })
  try {
    const admin = known.proxy<AdminRegProxy>(AdminReg, `${object} -e 1`)
    const { servers } = await admin.getServers()
    expect(servers.map(({ objName }) => objName)).toEqual([`${object} -t 3000 -e 1`])
    expect(await admin.checkServer(servers[0] as FrameworkServer)).toBe(0)
    await expect(communicator.proxy<AdminRegProxy>(AdminReg, object).getServers()).rejects.toThrow('ended before the answer came')
    await expect(communicator.ping(object)).rejects.toThrow('ended before the answer came')
  } finally {
    await known.close()
    await running.stop()
  }
})

test('the query servers, too, by both protocols', async () => {
  const running = await startQuery({ env: env(address), log: silentLogger, signal: new AbortController().signal })
  try {
    const query = communicator.proxy<MonitorQueryProxy>(MonitorQuery, `tars.tarsquerystat.QueryObj@tcp -h ${address} -p 16000`)
    const question = createMonitorQueryReq({ dataid: 'tars_stat', date: '20260101', tflag1: '0000', tflag2: '2360', indexs: ['succ_count'], groupby: ['f_tflag'] })
    expect((await query.query(question, context(ops))).return).toBe(0)
    await expect(query.query(question)).rejects.toThrow(refusal)
    const told = async (asked: object): Promise<string> => {
      const socket = connect(16002, address)
      await once(socket, 'connect')
      socket.end(JSON.stringify({ method: 'timecheck', dataid: 'tars_stat', ...asked }))
      return text(socket)
    }
    expect(await told({})).toContain('no "token" that is known')
    expect(await told({ token: 7 })).toContain('no "token" that is known')
    expect(await told({ token: ops })).not.toContain('token')
  } finally {
    await running.stop()
  }
})

test('new ones count within ten seconds, old ones no longer; a folder that is away leaves those it had', async () => {
  const own = join(folder, 'changing')
  await mkdir(own)
  await writeFile(join(own, 'ops'), ops)
  let now = 0
  const tokens = new TokenFolder(own, () => now)
  expect([tokens.admits(ops), tokens.admits(ci), tokens.admits(undefined)]).toEqual([true, false, false])
  await writeFile(join(own, 'ci'), ci)
  await rm(join(own, 'ops'))
  now = 9_999
  expect([tokens.admits(ops), tokens.admits(ci)]).toEqual([true, false])
  now = 10_000
  expect([tokens.admits(ops), tokens.admits(ci)]).toEqual([false, true])
  await rm(own, { recursive: true })
  now = 30_000
  expect(tokens.admits(ci)).toBe(true)
  expect(tokensEnv({})).toBeUndefined()
  expect(() => tokensEnv({ TARS_TOKENS: own })).toThrow('tokens cannot be read')
})
