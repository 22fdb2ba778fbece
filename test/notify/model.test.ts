// The pure parts of tarsnotify.
import { describe, expect, test } from 'vitest'
import { createReportInfo } from '#tars/protocol/NotifyF.ts'
import { collectGarbage } from '#base/garbage.ts'
import { Limiter } from '#base/limiter.ts'
import { alertBody, AlertMemory, bytesOf, longestMessage, refusalOf } from '../../framework/notify/model/alert.ts'
import { isDropped, parseFilters } from '../../framework/notify/model/filter.ts'
import { recordOfInfo, recordOfProgram, splitServer } from '../../framework/notify/model/record.ts'
import { notifyEnv } from '../../framework/notify/env.ts'
import { everyone } from '#kube/caller-check.ts'

describe('the frequency limit (framework-services 3.3)', () => {
  test('so many a window, then none until it is over; the first refused one is told', () => {
    const limiter = new Limiter({ windowMs: 100, count: 2 })
    const take = (now: number) => limiter.take('a', now)
    expect([take(0), take(1), take(50), take(99)]).toEqual([
      { taken: true, first: false }, { taken: true, first: false }, { taken: false, first: true }, { taken: false, first: false },
    ])
    expect(take(100)).toEqual({ taken: true, first: false })
    expect(limiter.take('b', 50).taken).toBe(true)
  })

  test('made-up names cannot fill the memory: the surplus shares one allowance', () => {
    const limiter = new Limiter({ windowMs: 100, count: 1 })
    let taken = 0
    for (let index = 0; index < 20_000; index++) if (limiter.take(`name${index}`, 0).taken) taken++
    expect(taken).toBe(10_001)
    expect(limiter.take('name0', 0).taken).toBe(false)
    // Windows that are over make room, also behind one that began anew.
    expect(limiter.take('name0', 100).taken).toBe(true)
    expect(limiter.take('new', 100).taken).toBe(true)
    expect(limiter.take('newer', 100).taken).toBe(true)
  })

  test('names that one makes up, many or long ones, leave the others what is theirs', () => {
    const limiter = new Limiter({ windowMs: 100, count: 2 })
    for (let index = 0; index < 20_000; index++) limiter.take(`name${index}`, 0, 'evil')
    expect(['new', 'newer', 'x'.repeat(1025)].map((name) => limiter.take(name, 0, 'evil').taken)).toEqual([false, false, false])
    expect(['a', 'b', 'x'.repeat(1025)].map((name) => limiter.take(name, 0, 'shop').taken)).toEqual([true, true, false])
  })
})

test.each([
  ['App', 'Server', 'App', 'Server'], ['', 'App.Server', 'App', 'Server'], ['App', 'App.Server', 'App', 'Server'], ['App', 'DCache.Router1-1', 'App', 'DCache.Router1-1'],
  ['', 'Alone', 'Alone', ''], ['', '', '', ''], ['', 'A.B.C', 'A', 'B.C'],
])('sApp %j and sServer %j are %s.%s (3.3)', (app, server, wantedApp, wantedServer) => {
  expect(splitServer(app, server)).toEqual({ app: wantedApp, server: wantedServer })
})

test('long texts are cut', () => {
  const { app, node, message } = recordOfProgram({ name: 'A.B', node: 'n'.repeat(1000), message: 'm'.repeat(100_000) }, 0)
  expect([app, node.length, message.length]).toEqual(['A', 253, 8192])
  expect(recordOfInfo(createReportInfo({ sApp: 'a'.repeat(1000) }), 'n', 0).app).toHaveLength(253)
})

describe('filters (3.2)', () => {
  const filters = parseFilters('<tars>\n<filter>\nApp.Server=noise|chatter; hum\ndefault=boring\nApp.Loud=\n</filter>\n</tars>')
  test.each([
    ['App.Server', 'some noise', true], ['App.Server', 'hum', false], ['App.Server', 'a hum', true], ['App.Server', 'boring', true], ['App.Other', 'boring', true], ['App.Other', 'noise', false], ['App.Loud', 'boring', true], ['App.Loud', 'noise', false],
  ])('of %s, %j is dropped: %s', (server, message, dropped) => {
    expect(isDropped(filters, server, message)).toBe(dropped)
  })
})

test.each([['a.b.c', 'a.b.c'], ['a.b.*', 'a.b.*'], ['*.b.c', ''], ['a.*.c', ''], ['a.b.c.d', ''], ['a.b', ''], ['a..c', ''], ['', '']])('set %j is kept as %j (3.2)', (set, kept) => {
  expect(recordOfInfo(createReportInfo({ sApp: 'A', sSet: set }), 'n', 0).set).toBe(kept)
})

describe('alerts', () => {
  const record = recordOfProgram({ name: 'App.Server', node: 'app-server-0', level: 2, message: 'down' }, Date.UTC(2026, 0, 1))
  test.each([
    ['alertmanager', [{ labels: { alertname: 'TarsNotify', app: 'App', server: 'Server', node: 'app-server-0', severity: 'error' }, annotations: { message: 'down' }, startsAt: '2026-01-01T00:00:00.000Z' }]],
    ['text', { text: '[error] App.Server app-server-0: down' }],
    ['msgtype', { msgtype: 'text', text: { content: '[error] App.Server app-server-0: down' } }],
  ] as const)('as %s', (form, body) => {
    expect(alertBody(form, [record])).toEqual(body)
  })

  test.each(['text', 'msgtype'] as const)('of %s none is longer than its receivers take, and none ends within a character', (form) => {
    for (const letter of ['a', '日', '😀']) {
      for (let shift = 0; shift < 4; shift++) {
        const long = { ...record, message: 'x'.repeat(shift) + letter.repeat(16_000) }
        const body = alertBody(form, [long]) as { text: string & { content: string } }
        const content = form === 'text' ? body.text : body.text.content
        expect(bytesOf(form, long)).toBe(Buffer.byteLength(content) + 1)
        expect(Buffer.byteLength(content)).toBeLessThanOrEqual(longestMessage[form])
        expect(Buffer.byteLength(content)).toBeGreaterThan(longestMessage[form] - 8)
        expect(content).toMatch(new RegExp(`${letter}\\.\\.\\.$`, 'u'))
      }
    }
  })

  test.each([
    ['{"errcode":0,"errmsg":"ok"}', undefined],
    ['{"errcode":40058,"errmsg":"text.content exceed max length 2048"}', false],
    ['{"errcode": 310000, "errmsg":"keywords not in content"}', false],
    ['{"errcode":45009,"errmsg":"api freq out of limit"}', true],
    ['{"errmsg":"send too fast, exceed 20 times per minute","errcode":130101}', true],
    ['{"errcode":-1,"errmsg":"system busy"}', true],
    ['ok', undefined],
  ])('the answer %s: may pass %s', (answer, temporary) => {
    expect(refusalOf('msgtype', answer)?.temporary).toBe(temporary)
    expect(refusalOf('alertmanager', answer)).toBeUndefined()
  })

  test('the same again is none for a while', () => {
    const memory = new AlertMemory(1000)
    expect([memory.isNew(record, 0), memory.isNew(record, 999), memory.isNew({ ...record, message: 'up' }, 999), memory.isNew(record, 1000)]).toEqual([true, false, true, true])
  })
})

test('however long the texts are, alerts that are remembered take little memory', () => {
  const used = (): number => {
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  const memory = new AlertMemory(1000)
  const before = used()
  for (let index = 0; index < 5000; index++) expect(memory.isNew(recordOfProgram({ name: 'App.Server', node: 'n', message: `${index} ${'m'.repeat(8000)}` }, 0), 0)).toBe(true)
  expect(used() - before).toBeLessThan(10 << 20)
  expect(memory.isNew(recordOfProgram({ name: 'App.Server', node: 'n', message: `1 ${'m'.repeat(8000)}` }, 0), 0)).toBe(false)
})

describe('environment', () => {
  const env = { Namespace: 'n', PodIP: '127.0.0.1', TARSSTORE_DATA: '/x' }

  test('defaults', () => {
    expect(notifyEnv(env)).toEqual({ namespace: 'n', callers: { mode: 'enforce', trusts: everyone }, address: '127.0.0.1', port: 13111, httpPort: 13112, limit: { windowMs: 300_000, count: 300 }, store: { data: '/x', days: 3, bytes: 4 * 2 ** 30, spoolBytes: 512 << 20 }, conf: undefined, alerts: undefined })
  })

  test.each([['TARSNOTIFY_LIMIT', '5'], ['TARSNOTIFY_LIMIT', '0:5'], ['TARSNOTIFY_PORT', 'x'], ['TARSSTORE_DAYS', '0'], ['TARSSTORE_DATA', ''], ['TARSSTORE_BYTES', '1k'], ['TARSSTORE_NODES', 'es'], ['TARSSTORE_NODES', 'http://tars:secret@es:9200'], ['TARSSTORE_NODES', 'ftp://es:9200'], ['TARSSTORE_PREFIX', '_x'], ['TARSNOTIFY_WEBHOOK', 'alertmanager:9093']])('%s=%s is refused by name', (name, value) => {
    expect(() => notifyEnv({ ...env, [name]: value })).toThrow(new RegExp(name))
  })
})
