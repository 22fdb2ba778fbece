import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Failure } from '#base/errors.ts'
import { Config, joinConfig, parseConfig } from '#tars/conf.ts'
import { mutate, Random } from '../codec/random.ts'

const print = (text: string): string => parseConfig(text).toString()

function failureOf(work: () => unknown): Failure {
  try {
    work()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('it did not fail')
}

// The expected texts are those of TC_Config itself, to which this module was compared on 200,000 random pairs of texts.
describe('text', () => {
  test('a whole configuration', () => {
    const text = `
# comment
<tars>
\t<application>
    enableset=n
    <client>
      locator=tars.tarsregistry.QueryObj@tcp -h tars-tarsregistry -p 17890
    </client>
    setdivision = NULL
  </application> anything here is ignored
  flag
</tars>
`
    expect(print(text)).toBe(`<tars>
  flag
  <application>
    enableset=n
    setdivision=NULL
    <client>
      locator=tars.tarsregistry.QueryObj@tcp -h tars-tarsregistry -p 17890
    </client>
  </application>
</tars>
`)
  })

  test.each([
    ['root domains by bytes, nested ones as first seen', '<é>\n<z>\n</z>\n<a>\n</a>\n</é>\n<b>\n</b>\n<Z>\n</Z>', '<Z>\n</Z>\n<b>\n</b>\n<é>\n  <z>\n  </z>\n  <a>\n  </a>\n</é>\n'],
    ['the same domain again merges', '<a>\nx=1\n</a>\n<a>\ny=2\n</a>', '<a>\n  x=1\n  y=2\n</a>\n'],
    ['the last value wins and its key moves', '<a>\nx=1\ny=2\nx=3\n</a>', '<a>\n  y=2\n  x=3\n</a>\n'],
    ['keys outside any domain are left out', 'x=1\n<a>\n</a>', '<a>\n</a>\n'],
    ['escapes', '<a>\nk\\=1=v\\=2\\n\\r\\t\\\\\n</a>', '<a>\n  k\\=1=v\\=2\\n\\r\\t\\\\\n</a>\n'],
    ['more signs of equality belong to the value', '<a>\nk=v=w\n</a>', '<a>\n  k=v\\=w\n</a>\n'],
    ['an empty value', '<a>\nk=\nl\n</a>', '<a>\n  k\n  l\n</a>\n'],
    ['an empty key', '<a>\n=v\n</a>', '<a>\n  =v\n</a>\n'],
    ['CRLF', '<a>\r\nk=v\r\n</a>\r\n', '<a>\n  k=v\n</a>\n'],
    ['a backslash before the sign makes it literal, itself escaped or not', '<a>\nk\\\\=v\n</a>', '<a>\n  k\\\\\\=v\n</a>\n'],
    ['a domain name is trimmed for its end only', '<a>\n< b >\n</b>\n</a>', '<a>\n  <b>\n  </b>\n</a>\n'],
    ['nothing', '', ''],
  ])('%s', (_, text, expected) => {
    expect(print(text)).toBe(expected)
  })

  test.each([
    [1, '</a>', 'no domain is open'],
    [3, '<a>\n\n</b>', 'does not close the open domain <a>'],
    [2, '<a>\n<b>\n</a>\n', undefined],
    [1, '<a>\nx=1', 'never closed'],
    [1, '<a', 'has no ">"'],
    [2, '<a>\nk=\\x\n</a>', '"\\x" is no escape'],
    [2, '<a>\nk=v\\\n</a>', 'ends with a single "\\"'],
    [201, '<a>\n'.repeat(300), 'deeper than 200'],
  ])('line %i of a broken text is named', (line, text, what) => {
    const failure = failureOf(() => parseConfig(text))
    expect(failure.code).toBe('TARS_CONF')
    if (what !== undefined) {
      expect(failure.message).toContain(what)
      expect(failure.message).toContain(`line ${line}:`)
      expect(failure.context).toMatchObject({ line })
    }
    expect(failure.remedy).toBeDefined()
  })

  test('any mutation of a text parses or is refused in words', () => {
    const text = Buffer.from('<tars>\n  <application>\n    key=value\\n\n    # comment\n    <server>\n      a=\\=\\\\\n    </server>\n  </application>\n</tars>\n')
    const random = new Random(20261123)
    for (let i = 0; i < 20_000; i++) {
      try {
        print(mutate(text, random).toString())
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'TARS_CONF') throw error
      }
    }
  })

  test('angle brackets cannot be printed', () => {
    for (const value of ['<', '>']) {
      const config = parseConfig(`<a>\nk=${value}\n</a>`)
      expect(config.get('/a<k>')).toBe(value)
      expect(failureOf(() => config.toString()).message).toContain('cannot express')
    }
  })

  test('what is printed parses to the same print', () => {
    const name = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !/[<>\\]/.test(text) && text.trim() === text && !text.startsWith('#'))
    fc.assert(fc.property(fc.array(fc.tuple(name, name), { maxLength: 8 }), (pairs) => {
      const config = new Config()
      for (const [key, value] of pairs) config.root.open('d').set(key, value)
      const once = config.toString()
      expect(print(once)).toBe(once)
      for (const [key, value] of new Map(pairs)) expect(parseConfig(once).root.domains.get('d')?.values.get(key)).toBe(value)
    }))
  })
})

describe('join', () => {
  const own = '<a>\nx=own\ny=own\n<n>\nk=own\n</n>\n</a>'
  const other = '<a>\nx=other\nz=other\n<n>\nk=other\nl=other\n</n>\n</a>\n<b>\n</b>'

  test('update: the other wins', () => {
    expect(joinConfig(own, other, true)).toBe('<a>\n  y=own\n  x=other\n  z=other\n  <n>\n    k=other\n    l=other\n  </n>\n</a>\n<b>\n</b>\n')
  })

  test('no update: the other only supplies', () => {
    expect(joinConfig(own, other, false)).toBe('<a>\n  z=other\n  x=own\n  y=own\n  <n>\n    l=other\n    k=own\n  </n>\n</a>\n<b>\n</b>\n')
  })
})

describe('paths', () => {
  const config = (): Config => parseConfig('<tars>\n<application>\nk=v\n<server>\napp=Test\nempty=\nraw line\n</server>\n</application>\n</tars>')

  test('get, with and without fallback', () => {
    expect(config().get('/tars/application/server<app>')).toBe('Test')
    expect(config().get('/tars//application/<k>')).toBe('v')
    expect(config().get('/tars/application/server<empty>', 'x')).toBe('')
    expect(config().get('/tars/application/server<none>')).toBeUndefined()
    expect(config().get('/tars/none<app>', 'fallback')).toBe('fallback')
  })

  test('set keeps the place of a key and makes domains', () => {
    const changed = config()
    changed.set('/tars/application/server<app>', 'Other')
    changed.set('/tars/application/client<locator>', 'x')
    changed.delete('/tars/application<k>')
    expect([...changed.domain('/tars/application/server')?.values.keys() ?? []]).toEqual(['app', 'empty', 'raw line'])
    expect(changed.get('/tars/application/client<locator>')).toBe('x')
    expect(changed.get('/tars/application<k>')).toBeUndefined()
  })

  test('lines are kept as they were', () => {
    expect(parseConfig('<hosts>\n 1.2.3.4:9200 \nk = v\nk=w\n</hosts>').domain('/hosts')?.lines).toEqual(['1.2.3.4:9200', 'k = v', 'k=w'])
  })

  test.each(['tars<app>', '/tars', '/tars>app<'])('"%s" is refused', (path) => {
    expect(failureOf(() => config().get(path)).code).toBe('TARS_CONF')
  })
})
