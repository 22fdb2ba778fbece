import { describe, expect, test } from 'vitest'
import { Failure } from '#base/errors.ts'
import { formatEndpoint, parseEndpoint, parseObject } from '#tars/endpoint.ts'

const plain = { protocol: 'tcp', host: '127.0.0.1', port: 17890, timeoutMs: 60000, grid: 0, qos: 0, weight: -1, weightType: 0, authType: 0 }

describe('endpoint', () => {
  test.each([
    ['tcp -h 127.0.0.1 -p 17890 -t 60000', {}],
    ['  tcp\t-t 60000  -p 17890 -h 127.0.0.1\n', {}],
    ['udp -h 127.0.0.1 -p 17890 -t 60000', { protocol: 'udp' }],
    ['ssl -h a.b.c -p 1 -t 60000 -e 1', { protocol: 'ssl', host: 'a.b.c', port: 1, authType: 1 }],
    ['tcp -h * -p 0', { host: '0.0.0.0', port: 0, timeoutMs: 3000 }],
    ['tcp -p 17890 -t 60000', { host: '0.0.0.0' }],
    ['tcp -h ::1 -p 17890 -t 60000', { host: '::1' }],
    ['tcp -h 127.0.0.1 -p 17890 -t 60000 -g 2 -q 3', { grid: 2, qos: 3 }],
    ['tcp -h 127.0.0.1 -p 17890 -t 60000 -w 50 -v 1', { weight: 50, weightType: 1 }],
    ['tcp -h 127.0.0.1 -p 17890 -t 60000 -v 2', { weight: 100, weightType: 2 }],
    ['tcp -h 127.0.0.1 -p 17890 -t 60000 -w 500 -v 2', { weight: 100, weightType: 2 }],
    ['tcp -h 127.0.0.1 -p 17890 -t 60000 -w -1', {}],
    ['tcp -h 127.0.0.1 -p 17890 -t 60000 -z -y 5', {}],
  ])('%j', (text, expected) => {
    expect(parseEndpoint(text)).toEqual({ ...plain, ...expected })
  })

  test('what is written is read back, short when nothing is special', () => {
    for (const text of ['tcp -h 127.0.0.1 -p 17890 -t 60000', 'ssl -h x -p 1 -t 3000 -g 1 -q 2 -w 50 -v 1 -e 1', 'udp -h ::1 -p 0 -t -1']) {
      expect(formatEndpoint(parseEndpoint(text))).toBe(text)
    }
  })

  test.each([
    ['', 'starts with ""'],
    ['quic -h x -p 1', 'starts with "quic"'],
    ['tcp -h x', 'no port'],
    ['tcp -h -p 1', '-h has no host'],
    ['tcp -h x -p', '-p is ""'],
    ['tcp -h x -p 65536', '-p is "65536"'],
    ['tcp -h x -p 1.5', '-p is "1.5"'],
    ['tcp -h x -p 1 -t abc', '-t is "abc"'],
    ['tcp -h x -p 1 -e 2', '-e is "2"'],
    ['tcp -h x -p 1 stray', '"stray" is no option'],
    ['tcp --host x', '"--host" is no option'],
  ])('%j is refused', (text, what) => {
    expect(() => parseEndpoint(text)).toThrow(Failure)
    expect(() => parseEndpoint(text)).toThrow(what)
  })
})

describe('object', () => {
  test('names, hashes and several endpoints', () => {
    expect(parseObject('App.Server.Obj')).toEqual({ object: 'App.Server.Obj', hash: undefined, endpoints: [] })
    expect(parseObject('App.Server.Obj#12@tcp -h 127.0.0.1 -p 17890 -t 60000')).toEqual({ object: 'App.Server.Obj', hash: '12', endpoints: [plain] })
    const two = parseObject('A.B.C@tcp -h ::1 -p 1 -t 3000:udp -h h -p 2 -t 3000')
    expect(two.endpoints.map((one) => [one.protocol, one.host, one.port])).toEqual([['tcp', '::1', 1], ['udp', 'h', 2]])
  })

  test.each(['', '@tcp -h x -p 1', 'A.B.C@', 'A.B.C@nowhere'])('%j is refused', (text) => {
    expect(() => parseObject(text)).toThrow(Failure)
  })
})
