// Environments of registry, config and admin.
import { expect, test } from 'vitest'
import { adminEnv } from '../../framework/admin/env.ts'
import { configEnv } from '../../framework/config/env.ts'
import { registryEnv } from '../../framework/registry/env.ts'

const pod = { Namespace: 'n', PodIP: '127.0.0.1' }

test('defaults', () => {
  expect(registryEnv({ ...pod, PodName: 'p' })).toEqual({ namespace: 'n', podName: 'p', address: '127.0.0.1', hostForm: 'dns' })
  expect(configEnv(pod)).toEqual({ namespace: 'n', address: '127.0.0.1', port: 11111, notFound: -1 })
  expect(adminEnv(pod)).toEqual({ namespace: 'n', address: '127.0.0.1', port: 8080, agentPort: 8000 })
})

test('what can be chosen', () => {
  expect(registryEnv({ ...pod, TARSREGISTRY_ENDPOINT_HOST: 'ip' }).hostForm).toBe('ip')
  expect(configEnv({ ...pod, TARSCONFIG_NOT_FOUND: 'empty' }).notFound).toBe(0)
  expect(adminEnv({ ...pod, HTTP_PORT: '81', TARSADMIN_LISTEN: '0.0.0.0' })).toMatchObject({ address: '0.0.0.0', port: 81 })
  expect(adminEnv({ ...pod, HTTP_PORT: '81', TARSADMIN_PORT: '82' }).port).toBe(82)
})

test.each([
  ['Namespace', () => registryEnv({ PodIP: 'x' })], ['PodIP', () => registryEnv({ Namespace: 'n' })], ['TARSREGISTRY_ENDPOINT_HOST', () => registryEnv({ ...pod, TARSREGISTRY_ENDPOINT_HOST: 'both' })],
  ['TARSCONFIG_NOT_FOUND', () => configEnv({ ...pod, TARSCONFIG_NOT_FOUND: 'maybe' })], ['TARSADMIN_PORT', () => adminEnv({ ...pod, TARSADMIN_PORT: '99999' })],
] as const)('%s is refused by name', (name, read) => {
  expect(read).toThrow(new RegExp(`environment variable ${name} `))
})
