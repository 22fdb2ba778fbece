// A server that reports ever new names, each minute within the bounds of a minute: it takes a part of the store, and no more; others are kept as ever.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { otherName } from '#store/key-guard.ts'
import type { Fields, Logger } from '#base/log.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF, type StatFProxy, type StatMicMsgHead } from '#tars/protocol/StatF.ts'
import { eq, startMonitored, type Monitored } from './rig.ts'

const bytesADay = 8 << 20
const [minutes, made] = [120, 400]
const logged: { readonly message: string; readonly fields: Fields | undefined }[] = []
const log: Logger = { info() {}, error: (message, fields) => void logged.push({ message, fields }), child: () => log }

let one: Monitored
beforeAll(async () => {
  one = await startMonitored('stat', { bounds: { perReporter: 1000, inAll: 5000, bytesADay }, log })
})
afterAll(() => one?.stop())

const report = (heads: readonly Partial<StatMicMsgHead>[]) =>
  one.communicator.proxy<StatFProxy>(StatF, `tars.tarsstat.StatObj@tcp -h ${one.address} -p ${one.gatherer.port}`).reportMicMsg(new Map(heads.map((head) => [createStatMicMsgHead(head), createStatMicMsgBody({ count: 1 })])), true)
const counts = async (master: string, groupby: string[]): Promise<Record<string, number[]>> => one.result({ conditions: [eq('master_name', master)], groupby })

test('its further names are counted together, and what it had before makes room in some hours', async () => {
  for (let minute = 0; minute < minutes; minute++) {
    one.clock.set(2026, 1, 5, 10 + Math.floor(minute / 60), minute % 60, 30)
    await report(Array.from({ length: made }, (_, index) => ({ masterName: 'Evil.Pod', slaveName: 'To.Nobody', interfaceName: `made-up-${minute}-${index}` })))
    await report([{ masterName: 'Bank.Vault', slaveName: 'Bank.Store', interfaceName: `new-${minute}` }])
    await one.gatherer.flush()
  }
  // Sums are right.
  const evil = await counts('Evil.Pod', ['interface_name'])
  expect(Object.values(evil).reduce((sum, [count = 0]) => sum + count, 0)).toBe(minutes * made)
  expect(await counts('Bank.Vault', [])).toEqual({ '': [minutes] })
  // Others are told apart, and what it takes is half of what may be taken at once, which is a quarter of a day's.
  expect(Object.keys(await counts('Bank.Vault', ['interface_name'])).length).toBe(minutes)
  const file = join(one.folder, 'rows', 'stat', '20260105.sqlite')
  expect(statSync(file).size).toBeLessThan(bytesADay / 4)
  const named = Object.keys(evil).length - 1
  expect(named).toBeGreaterThan(2000)
  expect(await one.metric('tarsstat_overspent_total')).toBe(minutes * made - named)
  expect(evil[otherName]).toEqual([minutes * made - named])
  expect(logged.filter(({ message }) => message.includes('for the store'))).toEqual([{ message: expect.any(String) as string, fields: { kinds: expect.any(Number) as number, most: 'Evil.Pod' } }])
  // Six hours later it has room for a part of them again.
  one.clock.set(2026, 1, 5, 18, 30, 30)
  await report(Array.from({ length: made }, (_, index) => ({ masterName: 'Evil.Pod', slaveName: 'To.Nobody', interfaceName: `later-${index}` })))
  await one.gatherer.flush()
  expect(Object.keys(await counts('Evil.Pod', ['interface_name'])).filter((name) => name.startsWith('later-')).length).toBe(made)
})
