// Environments of registry, config and admin.
import { expect, test } from 'vitest'
import { uncheckedCallers } from '#kube/caller-check.ts'
import { adminEnv } from '../../framework/admin/env.ts'
import { configEnv } from '../../framework/config/env.ts'
import { registryEnv } from '../../framework/registry/env.ts'

const pod = { Namespace: 'n', PodIP: '127.0.0.1' }

test('defaults', () => {
  expect(registryEnv({ ...pod, PodName: 'p' })).toEqual({ namespace: 'n', token: undefined, callers: { ...uncheckedCallers, mode: 'enforce' }, guardsDescriptors: false, podName: 'p', address: '127.0.0.1', hostForm: 'dns', data: undefined, healthPort: undefined, loads: undefined })
  expect(configEnv(pod)).toEqual({ namespace: 'n', callers: uncheckedCallers, address: '127.0.0.1', port: 11111, notFound: -1, limit: undefined, setsInherit: false, data: undefined, healthPort: undefined })
  expect(adminEnv(pod)).toEqual({ namespace: 'n', address: '127.0.0.1', port: 8080, agentPort: 8000 })
})

test('what can be chosen', () => {
  expect(registryEnv({ ...pod, TARSREGISTRY_ENDPOINT_HOST: 'ip' }).hostForm).toBe('ip')
  expect(registryEnv({ ...pod, TARSREGISTRY_LOAD_SECONDS: '120', TARSREGISTRY_LOAD_TIME: '60' }).loads).toEqual({ everyMs: 120_000, timePercent: 60 })
  expect(registryEnv({ ...pod, TARS_CALLERS: 'log' })).toMatchObject({ callers: { mode: 'log' }, guardsDescriptors: true })
  expect(configEnv({ ...pod, TARSCONFIG_NOT_FOUND: 'empty' }).notFound).toBe(0)
  expect(configEnv({ ...pod, TARSCONFIG_LIMIT: '60:11', TARSCONFIG_SETS: 'inherit' })).toMatchObject({ limit: { windowMs: 60_000, count: 11 }, setsInherit: true })
  expect(adminEnv({ ...pod, HTTP_PORT: '81', TARSADMIN_LISTEN: '0.0.0.0' })).toMatchObject({ address: '0.0.0.0', port: 81 })
  expect(adminEnv({ ...pod, HTTP_PORT: '81', TARSADMIN_PORT: '82' }).port).toBe(82)
})

test.each([
  ['Namespace', () => registryEnv({ PodIP: 'x' })], ['PodIP', () => registryEnv({ Namespace: 'n' })], ['TARSREGISTRY_ENDPOINT_HOST', () => registryEnv({ ...pod, TARSREGISTRY_ENDPOINT_HOST: 'both' })],
  ['TARSCONFIG_LIMIT', () => configEnv({ ...pod, TARSCONFIG_LIMIT: '11' })], ['TARSREGISTRY_LOAD_SECONDS', () => registryEnv({ ...pod, TARSREGISTRY_LOAD_SECONDS: 'x' })],
  ['TARSCONFIG_NOT_FOUND', () => configEnv({ ...pod, TARSCONFIG_NOT_FOUND: 'maybe' })], ['TARSADMIN_PORT', () => adminEnv({ ...pod, TARSADMIN_PORT: '99999' })],
] as const)('%s is refused by name', (name, read) => {
  expect(read).toThrow(new RegExp(`environment variable ${name} `))
})
