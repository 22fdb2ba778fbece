// Lines of a log: few, however many are to be written.
import { expect, test } from 'vitest'
import { createLogger } from '#base/log.ts'

test('of errors with one message so many are written in ten seconds, and that there are more; others are as they were', () => {
  const lines: string[] = []
  let time = 0
  const log = createLogger({ write: (line) => lines.push(line), now: () => 0, monotonic: () => time, format: 'text' })
  for (let index = 0; index < 1000; index++) log.child({ role: 'a' }).error('refused', { peer: index })
  log.error('another', { peer: 1 })
  for (let index = 0; index < 1000; index++) log.info('taken', { peer: index })
  expect([lines.length, lines[199], lines[200], lines[201]]).toEqual([
    1202, '00:00:00.000 ERROR refused  role=a peer=199\n', '00:00:00.000 ERROR refused  role=a omitted=more of these, for up to 10 s\n', '00:00:00.000 ERROR another  peer=1\n',
  ])
  time = 10_000
  log.error('refused', { peer: 0 })
  expect(lines.at(-1)).toBe('00:00:00.000 ERROR refused  peer=0\n')
})

test.each([['text', '00:00:00.000 serves  port=1\n'], ['json', '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"serves","port":1}\n']] as const)('a field without a value is left out, as %s', (format, line) => {
  const lines: string[] = []
  createLogger({ write: (text) => lines.push(text), now: () => 0, monotonic: () => 0, format }).info('serves', { port: 1, health: undefined })
  expect(lines).toEqual([line])
})
