// Where a log is written, byte for byte as native has it (framework-services 4.3).
import { execFileSync } from 'node:child_process'
import { isAbsolute, normalize } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createLogInfo, type LogInfo } from '#tars/protocol/LogF.ts'
import { pathOf, placeOfInfo, placeOfLogger, safePart } from '../../framework/log/model/file-name.ts'
import { parseOverrides } from '../../framework/log/model/overrides.ts'
import { parseLogType, rotationOf } from '../../framework/log/model/rotation.ts'
import { strftime } from '../../framework/log/model/strftime.ts'

const zone = process.env['TZ']
beforeAll(() => void (process.env['TZ'] = 'Asia/Shanghai'))
afterAll(() => {
  if (zone === undefined) delete process.env['TZ']
  else process.env['TZ'] = zone
})

/** 2026-03-05 07:08:09 in Shanghai. */
const now = Date.UTC(2026, 2, 4, 23, 8, 9)

describe('logger', () => {
  test.each([
    ['App', 'Server', 'file', '%Y%m%d', 'App/Server/App.Server_file_20260305.log'],
    ['App', 'Server', '', '%Y%m%d', 'App/Server/App.Server_20260305.log'],
    ['App', 'Server', 'file', '%Y%m%d%H', 'App/Server/App.Server_file_2026030507.log'],
    ['App', 'Server', 'file', '', 'App/Server/App.Server_file_20260305.log'],
    ['.index', 'Server', '', '%Y%m%d', '_index/Server/.index.Server_20260305.log'],
    ['tars_dyeing', 'dyeing', 'roll', '%Y%m%d', 'tars_dyeing/dyeing/tars_dyeing.dyeing_roll_20260305.log'],
  ])('4.3 %s %s %s %s', (app, server, file, format, path) => {
    expect(pathOf(placeOfLogger(app, server, file), rotationOf(format, undefined).label(now))).toBe(path)
  })
})

describe('loggerbyInfo', () => {
  const info = (given: Partial<LogInfo>) => createLogInfo({ appname: 'App', servername: 'Server', sFilename: 'file', sFormat: '%Y%m%d', ...given })
  test.each<[string, Partial<LogInfo>, string]>([
    ['as it is', {}, 'App/Server/App.Server_file_20260305.log'],
    ['no file', { sFilename: '' }, 'App/Server/App.Server_20260305.log'],
    ['set', { setdivision: 'a.b.1' }, 'App/ab1/Server/App.Server_file_20260305.log'],
    ['set with a wildcard', { setdivision: 'a.b.*' }, 'App/ab/Server/App.Server_file_20260305.log'],
    ['no set of three parts', { setdivision: 'a.b' }, 'App/Server/App.Server_file_20260305.log'],
    ['without suffix', { bHasSufix: false }, 'App/Server/App.Server_file_20260305'],
    ['without prefix', { bHasAppNamePrefix: false }, 'App/Server/file_20260305.log'],
    ['another way to join', { sConcatStr: '-' }, 'App/Server/App.Server-file-20260305.log'],
    ['by day: of UTC, whose day began at eight in Shanghai', { sLogType: 'day' }, 'App/Server/App.Server_file_20260304.log'],
    ['by hour, the start of it', { sLogType: 'hour', sFormat: '%Y%m%d%H%M' }, 'App/Server/App.Server_file_202603050700.log'],
    ['by hour without a format', { sLogType: 'HOUR', sFormat: '' }, 'App/Server/App.Server_file_2026030507.log'],
    ['by two hours, aligned in UTC', { sLogType: '2hour', sFormat: '' }, 'App/Server/App.Server_file_2026030506.log'],
    ['by minute: ten', { sLogType: 'minute', sFormat: '' }, 'App/Server/App.Server_file_202603050700.log'],
    ['by five minutes', { sLogType: '5minute', sFormat: '' }, 'App/Server/App.Server_file_202603050705.log'],
    ['by what is no type', { sLogType: 'week' }, 'App/Server/App.Server_file_20260305.log'],
  ])('4.3 %s', (_what, given, path) => {
    const one = info(given)
    expect(pathOf(placeOfInfo(one), rotationOf(one.sFormat, parseLogType(one.sLogType)).label(now))).toBe(path)
  })

  test('4.4 the file of traces', () => {
    const one = info({ appname: '_tars_', servername: '_trace_', sFilename: '_t_trace_' })
    expect(pathOf(placeOfInfo(one), '20260305')).toBe('_tars_/_trace_/_tars_._trace___t_trace__20260305.log')
  })
})

describe('rotation', () => {
  test('4.3 a period ends at its multiple since the epoch; a clock that goes back changes nothing', () => {
    const rotation = rotationOf('', parseLogType('10minute'))
    const at = (minutes: number) => rotation.label(Date.UTC(2026, 0, 1, 0, minutes))
    expect([at(1), at(9), at(10), at(9), at(19), at(20)]).toEqual(['202601010800', '202601010800', '202601010810', '202601010810', '202601010810', '202601010820'])
  })

  test.each([
    ['at midnight by what tells the hour alone', 'hour', '%H', ['2026-01-01T23:59', '2026-01-02T00:00', '2026-01-02T01:00'], ['23', '00', '01']],
    ['at a new year', 'day', '%m%d', ['2025-12-31T08:00', '2026-01-01T07:59', '2026-01-01T08:00'], ['1231', '1231', '0101']],
    ['at a new month, the day first', 'hour', '%d%m%Y%H', ['2026-01-31T23:59', '2026-02-01T00:00'], ['3101202623', '0102202600']],
    ['after a pause, once the text of the hour that was awaited comes again', 'hour', '%H', ['2026-01-01T22:30', '2026-01-02T00:30', '2026-01-02T22:59', '2026-01-02T23:00'], ['22', '22', '22', '23']],
  ])('4.3 the next file begins %s', (_when, type, format, times, labels) => {
    const rotation = rotationOf(format, parseLogType(type))
    expect(times.map((time) => rotation.label(Date.parse(`${time}+08:00`)))).toEqual(labels)
  })

  test('4.3 in the hour that comes twice, the files of the first one go on', () => {
    process.env['TZ'] = 'America/New_York'
    onTestFinished(() => void (process.env['TZ'] = 'Asia/Shanghai'))
    const rotation = rotationOf('', parseLogType('30minute'))
    expect([0, 30, 60, 90, 120].map((minutes) => rotation.label(Date.UTC(2026, 10, 1, 5, minutes)))).toEqual(['202611010100', '202611010130', '202611010100', '202611010130', '202611010200'])
  })

  test('4.3 without a type the format is asked each time', () => {
    const rotation = rotationOf('%H', undefined)
    expect([rotation.label(now), rotation.label(now + 3_600_000), rotation.label(now)]).toEqual(['07', '08', '07'])
  })

  test.each([['2day', 172_800_000], ['day', 86_400_000], ['3hour', 10_800_000], ['minute', 600_000], ['1minute', 60_000], ['', undefined], ['0hour', 3_600_000], ['2 hour', 3_600_000], ['x2hour', 3_600_000]])('type %j lasts %s ms', (text, periodMs) => {
    expect(parseLogType(text)?.periodMs).toBe(periodMs)
  })
})

test('4.3 strftime is that of the C library', () => {
  const formats = ['%Y%m%d', '%Y%m%d%H', '%Y%m%d%H%M', '%C %y %e %j %I %M %S %p %a %A %b %h %B %u %w %F %D %T %R %s %%', '%U %W %G %g %V %k %l %P %c %r %x %X %z%t.']
  for (const name of ['Asia/Shanghai', 'America/New_York', 'UTC']) {
    process.env['TZ'] = name
    // A day of change to summer time, its hours among them, and days at both ends of years.
    const times = [...Array.from({ length: 26 }, (_, hour) => Date.UTC(2026, 2, 8, hour, 30) / 1000), 0, 951_782_400, 1_735_689_599, 1_735_689_600, 1_798_761_599]
    for (const format of formats) {
      const real = execFileSync('date', ['-f', '-', `+${format}`], { input: times.map((time) => `@${time}`).join('\n'), env: { TZ: name, LC_ALL: 'C', PATH: process.env['PATH'] } }).toString().trimEnd().split('\n')
      expect(times.map((time) => strftime(format, new Date(time * 1000))), `${name} ${format}`).toEqual(real)
    }
  }
  process.env['TZ'] = 'Asia/Shanghai'
})

describe('paths stay where logs are ([!] 4.3)', () => {
  test.each([['../../etc', '.._.._etc'], ['..', '__'], ['.', '_'], ['a/b', 'a_b'], ['a\\b', 'a_b'], ['a\0b\n', 'a_b_'], ['日志', '日志']])('%j becomes %j', (text, part) => {
    expect(safePart(text)).toBe(part)
  })

  test('whatever is sent', () => {
    const evil = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.array(fc.constantFrom('..', '/', '.', '\0', 'a', '日', '%D', '\\'), { maxLength: 200 }).map((parts) => parts.join('')))
    fc.assert(fc.property(fc.record({ appname: evil, servername: evil, sFilename: evil, sFormat: evil, setdivision: evil, sConcatStr: evil, sLogType: evil, bHasAppNamePrefix: fc.boolean(), bHasSufix: fc.boolean() }), (given) => {
      const info = createLogInfo(given)
      const label = rotationOf(info.sFormat, parseLogType(info.sLogType)).label(now)
      for (const path of [pathOf(placeOfInfo(info), label), pathOf(placeOfLogger(info.appname, info.servername, info.sFilename), label)]) {
        const facts = { isAbsolute: isAbsolute(path), isPlain: normalize(path) === path, isDeep: path.split('/').length > 4, leadsElsewhere: /^\.|\0|\/\.\.?(\/|$)/.test(path) }
        expect(facts).toEqual({ isAbsolute: false, isPlain: true, isDeep: false, leadsElsewhere: false })
      }
    }), { numRuns: 1000 })
  })
})

test('settings of the server (4.3)', () => {
  const { hourly, types } = parseOverrides('<tars>\n<log>\n<format>\nhour=A.B|C.D; E.F\n</format>\n<logtype>\nhour=A.B.f|A.B.g\n5minute=C.D.\n</logtype>\n</log>\n</tars>')
  expect([...hourly]).toEqual(['A.B', 'C.D', 'E.F'])
  expect([...types]).toEqual([['A.B.f', 'hour'], ['A.B.g', 'hour'], ['C.D.', '5minute']])
  expect(parseOverrides('').hourly.size).toBe(0)
})
