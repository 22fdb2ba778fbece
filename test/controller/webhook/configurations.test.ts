import { expect, test } from 'vitest'
import { configurationNames, hostsOf, registeredObjects, type WebhookAddress } from '../../../framework/controller/webhook/configurations.ts'
import { registrations } from '../../../framework/controller/webhook/registrations.ts'
import { memoryReaders } from '../memory-readers.ts'

const service: WebhookAddress = { service: { namespace: 'tars-system', name: 'tars-webhook-service', port: 443 } }
const url: WebhookAddress = { url: 'https://10.0.0.7:9443' }

interface Hook { name: string; failurePolicy: string; rules: { operations: string[] }[]; clientConfig: object; matchConditions?: unknown; namespaceSelector?: unknown }
const objects = (address: WebhookAddress, matchConditions: boolean, namespace?: string) =>
  registeredObjects({ registrations: registrations(memoryReaders([])), address, controllerUser: 'system:serviceaccount:tars-system:tars-controller', namespace, matchConditions }).map(({ fields }) => fields('Q0E=') as Record<string, unknown> & { metadata: { name: string } })
const hooks = (...options: Parameters<typeof objects>): Hook[] => objects(...options).flatMap((object) => (object['webhooks'] ?? []) as Hook[])

test('configurations and conversions, under the names of the reference', () => {
  expect(objects(service, true).map(({ metadata }) => metadata.name)).toEqual([configurationNames.mutating, configurationNames.validating, 'tservers.k8s.tars.io', 'tframeworkconfigs.k8s.tars.io'])
  expect(objects(service, true)[2]?.['spec']).toEqual({ conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { service: { namespace: 'tars-system', name: 'tars-webhook-service', port: 443, path: '/conversion' }, caBundle: 'Q0E=' } } } })
  expect(hooks(url, true)[0]?.clientConfig).toEqual({ url: 'https://10.0.0.7:9443/mutating', caBundle: 'Q0E=' })
})

test('the certificate holds for what the API server calls', () => {
  expect(hostsOf(service)).toContain('tars-webhook-service.tars-system.svc')
  expect(hostsOf(url)).toEqual(['10.0.0.7'])
  expect(hostsOf({ url: 'https://[::1]:9443' })).toEqual(['::1'])
})

test('before Kubernetes 1.28 deletions are not held up by webhooks that are down', () => {
  const old = hooks(service, false)
  expect(old.some(({ matchConditions }) => matchConditions !== undefined)).toBe(false)
  expect(old.map(({ name, failurePolicy }) => [name, failurePolicy])).toEqual([['mutating.crd.tars.io', 'Fail'], ['validating.crd.tars.io-0', 'Fail'], ['deleting.validating.crd.tars.io-0', 'Ignore'], ['validating.k8s.tars.io-0', 'Ignore']])
  for (const { failurePolicy, rules } of old) if (failurePolicy === 'Fail') expect(rules.flatMap(({ operations }) => operations)).not.toContain('DELETE')
  const operations = (list: Hook[]) => list.flatMap(({ rules }) => rules.flatMap((rule) => rule.operations)).toSorted().join()
  expect(operations(old).replaceAll(',', '')).toBe(operations(hooks(service, true)).replaceAll(',', ''))
})

test('a controller of one namespace is not asked about others', () => {
  for (const { namespaceSelector } of hooks(service, true, 'tars')) expect(namespaceSelector).toEqual({ matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: ['tars'] }] })
  for (const { namespaceSelector } of hooks(service, true)) expect(namespaceSelector).toBeUndefined()
})
