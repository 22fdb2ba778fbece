import { expect, test } from 'vitest'
import { contains } from '../../framework/controller/desired/contained.ts'

test.each([
  ['defaults of the server', { a: 1, b: 2 }, { a: 1 }, true],
  ['another value', { a: 1 }, { a: 2 }, false],
  ['a missing field', {}, { a: 1 }, false],
  ['a dropped empty field', {}, { a: false, b: '', c: [], d: {}, e: { f: [] } }, true],
  ['zero is not empty', {}, { replicas: 0 }, false],
  ['a foreign sidecar', { containers: [{ name: 'own', image: 'x' }, { name: 'other' }] }, { containers: [{ name: 'own' }] }, true],
  ['a missing container', { containers: [{ name: 'other' }] }, { containers: [{ name: 'own' }] }, false],
  ['a longer plain list', { command: ['a', 'b'] }, { command: ['a'] }, false],
  ['two mounts of one volume', { mounts: [{ name: 'v', mountPath: '/a' }, { name: 'v', mountPath: '/b' }] }, { mounts: [{ name: 'v', mountPath: '/b' }, { name: 'v', mountPath: '/a' }] }, true],
  ['a quantity in other words', { cpu: '1', memory: '1Gi' }, { cpu: '1000m', memory: '1024Mi' }, true],
  ['a quantity with little before or after its point', { a: '512Mi', b: '2', c: '1500m' }, { a: '.5Gi', b: '2.', c: '+1.5' }, true],
  ['a quantity with a signed exponent', { a: '1e9', b: '1m' }, { a: '1e+9', b: '1e-3' }, true],
  ['another quantity', { cpu: '2' }, { cpu: '1000m' }, false],
])('%s', (_what, actual, desired, expected) => {
  expect(contains(actual, desired)).toBe(expected)
})
