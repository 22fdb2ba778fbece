// The pure parts of the commands.
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { formatAge } from '../../framework/cli/parts/age.ts'
import { parseHosts } from '../../framework/cli/parts/hosts.ts'
import { parseServerName } from '../../framework/cli/parts/names.ts'
import { writeLines } from '../../framework/cli/parts/lines.ts'
import { bar, createProgress } from '../../framework/cli/parts/progress.ts'
import { parseSets, withSets } from '../../framework/cli/parts/sets.ts'
import { waitForRollout } from '../../framework/cli/parts/rollout.ts'
import { podState } from '../../framework/cli/parts/status-table.ts'
import type { ServerRow } from '../../framework/admin/contract.ts'
import { cut, displayWidth, renderTable } from '../../framework/cli/parts/table.ts'

/** All that was written so far. */
function written(out: PassThrough): string {
  const chunks: Buffer[] = []
  for (let chunk = out.read() as Buffer | null; chunk !== null; chunk = out.read() as Buffer | null) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

test.each([
  [-5, '0s'], [0, '0s'], [119_999, '119s'], [120_000, '2m00s'], [3_599_000, '59m59s'], [3_600_000, '1h00m'], [172_799_000, '47h59m'], [172_800_000, '2d0h'], [8_000_000_000, '92d14h'],
])('%d ms is %s', (ms, text) => {
  expect(formatAge(ms)).toBe(text)
})

describe('tables', () => {
  const columns = [{ title: 'A', value: (row: readonly string[]) => row[0] ?? '' }, { title: 'N', value: (row: readonly string[]) => row[1] ?? '', right: true }, { title: 'TEXT', value: (row: readonly string[]) => row[2] ?? '' }]

  test('columns are as wide as their widest value, numbers on the right, no blanks at the end', () => {
    expect(renderTable(columns, [['x', '1', ''], ['longer', '10', 'text']])).toBe('A        N  TEXT\nx        1\nlonger  10  text\n')
  })

  test('the last column is cut to the terminal', () => {
    expect(renderTable(columns, [['x', '1', 'abcdefghijklmnopq']], 22).split('\n')[1]).toBe('x  1  abcdefghijklmno…')
  })

  test('characters of two columns are counted as two', () => {
    expect(displayWidth('服务a')).toBe(5)
    expect(cut('服务器', 5)).toBe('服务…')
    expect(renderTable(columns, [['服务', '1', 'x']]).split('\n')[0]).toBe('A     N  TEXT')
  })

  test('control characters cannot break a line', () => {
    expect(renderTable(columns, [['a\nb\u001b[2J', '1', '']]).split('\n')[1]).toBe('a b [2J  1')
  })
})

test.each([
  ['Active', 'Activating', 'Activating'], ['Inactive', 'Inactive', 'Inactive'], ['Inactive', 'Deactivating', 'Deactivating (Inactive)'],
])('wanted %s, is %s: %s', (settingState, presentState, text) => {
  expect(podState({ settingState, presentState } as never)).toBe(text)
})

test.each([['Demo.Hello', 'demo-hello'], ['Demo.Hello/far', 'demo-hello-far'], ['DCache.Kv1-1', 'dcache-kv1-1']])('%s is the TServer %s', (text, object) => {
  expect(parseServerName(text).object).toBe(object)
})

test.each(['Demo', 'Demo.Hello.Obj', 'Demo.Hello/', 'Demo.Hello/Far', 'Demo.Hello/a/b', '/far'])('%s is no server', (text) => {
  expect(() => parseServerName(text)).toThrow(/is no server/)
})

test.each<[string[], unknown]>([
  [[], undefined], [['none'], []], [['mall.sz.1'], [{ set: 'mall.sz.1' }]],
  [['mall.sz.*', '0-3,7=mall.sz.1'], [{ set: 'mall.sz.*' }, { pods: '0-3,7', set: 'mall.sz.1' }]],
])('--set %j is %j', (given, instances) => {
  expect(parseSets(given)).toEqual(instances)
})

test.each([['mall.sz'], ['*.sz.1'], ['a.b.c.d'], ['x=mall.sz.1'], ['0=1=a.b.c'], ['0='], ['none', 'a.b.c']])('--set %j is refused', (...given) => {
  expect(() => parseSets(given)).toThrow(/--set must be \[PODS=\]NAME\.AREA\.GROUP or none, not /)
})

test('sets that are given replace those that there were, and nothing else', () => {
  const known = [{ set: 'a.b.1' }, { pods: '1', set: 'a.b.2', weight: 20 }, { pods: '2', flow: 'inactive' as const }, { pods: '3', set: 'a.b.3' }]
  const rest = [{ pods: '1', weight: 20 }, { pods: '2', flow: 'inactive' }]
  expect(withSets(known, [])).toEqual(rest)
  expect(withSets(known, [{ pods: '0-1', set: 'a.b.9' }])).toEqual([...rest, { pods: '0-1', set: 'a.b.9' }])
})

test('a hosts file: comments, several names, the first of two counts', () => {
  expect([...parseHosts('# c\n127.0.0.1 a b # d\n\n 10.0.0.1\ta c\n')]).toEqual([['a', '127.0.0.1'], ['b', '127.0.0.1'], ['c', '10.0.0.1']])
})

describe('progress', () => {
  test('a bar', () => {
    expect(bar(0, 100)).toBe('[------------------------] 0 % 0.0 of 0.0 MB')
    expect(bar(5e6, 1e7)).toBe('[############------------] 50 % 5.0 of 10.0 MB')
    expect(bar(1, 0)).toContain('100 %')
  })

  test('a terminal is redrawn, a file gets a line a step', () => {
    const draw = (isTTY: boolean) => {
      const out = Object.assign(new PassThrough(), { isTTY })
      const progress = createProgress(out)
      progress.step('uploading')
      progress.part(1, 2)
      progress.step('building')
      progress.step('building')
      progress.end()
      return written(out)
    }
    expect(draw(false)).toBe('uploading\nbuilding\n')
    expect(draw(true)).toBe(`\r\u001b[Kuploading\r\u001b[Kuploading ${bar(1, 2)}\n\r\u001b[Kbuilding\n`)
  })
})

test.each([
  ['whole', ['a\nb\n'], '> a\n> b\n'],
  ['split inside a line and a character', ['a', 'b\n\xc3', '\xa9\n'], '> ab\n> é\n'],
  ['no newline at the end', ['a\nb'], '> a\n> b\n'],
  ['empty lines', ['\n\n'], '> \n> \n'],
])('lines with a prefix: %s', async (_what, chunks, expected) => {
  const out = new PassThrough()
  await writeLines((async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1')
  })(), '> ', out)
  expect(written(out)).toBe(expected)
})

describe('a rollout', () => {
  const row = (presentState: string, restarts: number): ServerRow => {
    const pod = { name: 'demo-hello-0', ip: '', hostIP: '', pid: '7', settingState: 'Active', presentState, message: restarts === 0 ? '' : 'last run exited with code 78', restarts, releaseId: 'v1', startTime: '2026-01-01T00:00:00Z' }
    return { name: 'demo-hello', app: 'Demo', server: 'Hello', generation: 1, subType: 'tars', hasNode: true, type: 'tars.nodejs', release: { id: 'v1', image: 'i' }, replicas: 1, ready: Number(presentState === 'Active'), state: 'Starting', message: '', servants: [], pods: [pod] }
  }
  /** What is seen, look by look; the last for ever. */
  const seeing = (...rows: readonly ServerRow[]) => {
    let look = 0
    return { server: async () => rows[Math.min(look++, rows.length - 1)] }
  }
  const goal = { object: 'Demo.Hello', releaseId: 'v1', timeoutMs: 60_000, signal: new AbortController().signal, onChange: () => {} }

  test('is not over when a service that ends again and again runs for a moment', async () => {
    const admin = seeing(row('Activating', 0), row('Active', 1), row('Activating', 2), row('Active', 2), row('Activating', 3))
    await expect(waitForRollout(admin, goal)).rejects.toMatchObject({ code: 'ROLLOUT_FAILED', message: expect.stringContaining('exited with code 78') })
  })

  test('is judged by what is told of what was deployed, and by nothing before', async () => {
    const admin = seeing(row('Active', 0), { ...row('ImagePullBackOff', 0), generation: 2 })
    await expect(waitForRollout(admin, { ...goal, generation: 2 })).rejects.toMatchObject({ code: 'ROLLOUT_FAILED', message: expect.stringContaining('ImagePullBackOff') })
  })

  test('is over when one that has ended runs for a while, and at once when it had ended before', async () => {
    expect(await waitForRollout(seeing(row('Activating', 0), row('Active', 1)), { ...goal, steadyMs: 10 })).toMatchObject({ ready: 1 })
    expect(await waitForRollout(seeing(row('Active', 9)), goal)).toMatchObject({ ready: 1 })
  })
})
