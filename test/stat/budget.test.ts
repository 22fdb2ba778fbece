// A server that reports ever new names, each minute within the bounds of a minute: it takes a part of the store, and no more; others are kept as ever.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Fields, Logger } from '#base/log.ts'
import { otherName } from '#store/key-guard.ts'
import { Communicator } from '#tars/client.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF, type StatFProxy, type StatMicMsgHead } from '#tars/protocol/StatF.ts'
import { createPod, until } from '../registry/cluster.ts'
import { eq, startMonitored, type Monitored } from './rig.ts'

const bytesADay = 8 << 20
const [minutes, made] = [120, 400]
const logged: { readonly message: string; readonly fields: Fields | undefined }[] = []
const log: Logger = { info() {}, error: (message, fields) => void logged.push({ message, fields }), child: () => log }

const base = `127.${10 + Math.floor(Math.random() * 200)}.${Math.floor(Math.random() * 250)}`
const [evilPod, bankPod] = [1, 2].map((last) => ({ address: `${base}.${last}`, communicator: new Communicator({ timeoutMs: 60_000, localAddress: `${base}.${last}` }) })) as [Pod, Pod]

interface Pod {
  readonly address: string
  readonly communicator: Communicator
}

let one: Monitored
beforeAll(async () => {
  one = await startMonitored('stat', { bounds: { perReporter: 1000, inAll: 5000, bytesADay }, log })
  await createPod(one.cluster.client, { app: 'Evil', server: 'Pod', name: 'evil-pod-0', ip: evilPod.address })
  await createPod(one.cluster.client, { app: 'Bank', server: 'Vault', name: 'bank-vault-0', ip: bankPod.address })
  // Both are known when neither may speak for the other.
  const foreign = async (): Promise<number> => Number(/\{reason="foreign"\} (\d+)/.exec(await one.page('/metrics'))?.[1])
  await until(async () => {
    const before = await foreign()
    for (const [pod, masterName] of [[evilPod, 'Bank.Vault'], [bankPod, 'Evil.Pod']] as const) await report(pod, [{ masterName }])
    return (await foreign()) === before + 2
  })
  one.clock.set(2026, 1, 6, 9, 0)
  await one.gatherer.flush()
})
afterAll(async () => {
  for (const { communicator } of [evilPod, bankPod]) await communicator.close()
  await one?.stop()
})

const report = ({ communicator }: Pod, heads: readonly Partial<StatMicMsgHead>[]) =>
  communicator.proxy<StatFProxy>(StatF, `tars.tarsstat.StatObj@tcp -h ${one.address} -p ${one.gatherer.port}`).reportMicMsg(new Map(heads.map((head) => [createStatMicMsgHead(head), createStatMicMsgBody({ count: 1 })])), true)
const counts = async (master: string, groupby: string[]): Promise<Record<string, number[]>> => one.result({ date: '20260106', conditions: [eq('master_name', master)], groupby })

test('its further names are counted together, and what it had before makes room in some hours', async () => {
  for (let minute = 0; minute < minutes; minute++) {
    one.clock.set(2026, 1, 6, 10 + Math.floor(minute / 60), minute % 60, 30)
    await report(evilPod, Array.from({ length: made }, (_, index) => ({ masterName: 'Evil.Pod', slaveName: 'To.Nobody', interfaceName: `made-up-${minute}-${index}` })))
    await report(bankPod, [{ masterName: 'Bank.Vault', slaveName: 'Bank.Store', interfaceName: `new-${minute}` }])
    await one.gatherer.flush()
  }
  // Sums are right.
  const evil = await counts('Evil.Pod', ['interface_name'])
  expect(Object.values(evil).reduce((sum, [count = 0]) => sum + count, 0)).toBe(minutes * made)
  expect(await counts('Bank.Vault', [])).toEqual({ '': [minutes] })
  // Others are told apart, and what it takes is half of what may be taken at once, which is a quarter of a day's.
  expect(Object.keys(await counts('Bank.Vault', ['interface_name'])).length).toBe(minutes)
  const file = join(one.folder, 'rows', 'stat', '20260106.sqlite')
  expect(statSync(file).size).toBeLessThan(bytesADay / 4)
  const named = Object.keys(evil).length - 1
  expect(named).toBeGreaterThan(2000)
  expect(await one.metric('tarsstat_overspent_total')).toBe(minutes * made - named)
  expect(evil[otherName]).toEqual([minutes * made - named])
  expect(logged.filter(({ message }) => message.includes('for the store'))).toEqual([{ message: expect.any(String) as string, fields: { kinds: expect.any(Number) as number, most: 'Evil.Pod' } }])
  // Its end, and the next one's beginning, make none.
  await one.restart()
  await report(evilPod, Array.from({ length: made }, (_, index) => ({ masterName: 'Evil.Pod', slaveName: 'To.Nobody', interfaceName: `again-${index}` })))
  await one.gatherer.flush()
  expect(Object.keys(await counts('Evil.Pod', ['interface_name'])).filter((name) => name.startsWith('again-')).length).toBeLessThan(made / 10)
  // Six hours later it has room for a part of them again.
  one.clock.set(2026, 1, 6, 18, 30, 30)
  await report(evilPod, Array.from({ length: made }, (_, index) => ({ masterName: 'Evil.Pod', slaveName: 'To.Nobody', interfaceName: `later-${index}` })))
  await one.gatherer.flush()
  expect(Object.keys(await counts('Evil.Pod', ['interface_name'])).filter((name) => name.startsWith('later-')).length).toBe(made)
})
