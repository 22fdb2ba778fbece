import { group } from '#api/names.ts'
import { customResourceDefinitions as definitions, mutatingWebhookConfigurations, validatingWebhookConfigurations } from '#kube/resources.ts'
import type { Resource } from '#kube/types.ts'
import { machineryExpression } from './identities.ts'
import type { Registration } from './registrations.ts'
import { webhookPaths } from './serve.ts'

/** How the API server reaches the webhooks: a Service, or a URL without path. */
export type WebhookAddress = { readonly url: string } | { readonly service: { readonly namespace: string; readonly name: string; readonly port: number } }

/** What is written into an object of the cluster so that the API server calls the webhooks. */
export interface RegisteredObject {
  readonly resource: Resource
  readonly name: string
  /** The fields to apply. */
  readonly fields: (caBundle: string) => object
}

export interface RegistrationOptions {
  readonly registrations: readonly Registration[]
  readonly address: WebhookAddress
  readonly controllerUser: string
  /** One namespace, when the controller works for no other. */
  readonly namespace: string | undefined
  /** The API server knows matchConditions (from 1.28 on). */
  readonly matchConditions: boolean
}

/** Names as in K8SFramework, whose configurations are taken over (control-plane spec D.1). */
export const configurationNames = { mutating: 'tars-mutating-webhook', validating: 'tars-validating-webhook' } as const
/** The kinds that are converted by webhook (control-plane spec A). */
const convertedKinds = ['tservers', 'tframeworkconfigs'] as const

/**
 * Seconds that the API server waits. A webhook makes two or three reads of a few milliseconds; a longer time only makes a write
 * wait longer for one that hangs.
 */
const timeoutSeconds = 5

/** Names by which the API server calls, which its certificate must hold. */
export function hostsOf(address: WebhookAddress): string[] {
  if ('url' in address) return [new URL(address.url).hostname.replace(/^\[|\]$/g, '')]
  const { name, namespace } = address.service
  return [`${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`]
}

/** All objects that register the webhooks. */
export function registeredObjects(options: RegistrationOptions): RegisteredObject[] {
  const configuration = (resource: Resource, phase: Registration['phase']): RegisteredObject => ({
    resource, name: configurationNames[phase],
    fields: (caBundle) => ({
      apiVersion: 'admissionregistration.k8s.io/v1', kind: resource.kind, metadata: { name: configurationNames[phase] },
      webhooks: options.registrations.filter((registration) => registration.phase === phase).flatMap((registration) => webhooksOf(registration, options, caBundle)),
    }),
  })
  const conversion = (plural: string): RegisteredObject => ({
    resource: definitions, name: `${plural}.${group}`,
    fields: (caBundle) => ({
      apiVersion: 'apiextensions.k8s.io/v1', kind: definitions.kind, metadata: { name: `${plural}.${group}` },
      spec: { conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: clientConfig(options.address, webhookPaths.conversion, caBundle) } } },
    }),
  })
  return [configuration(mutatingWebhookConfigurations, 'mutating'), configuration(validatingWebhookConfigurations, 'validating'), ...convertedKinds.map(conversion)]
}

function clientConfig(address: WebhookAddress, path: string, caBundle: string): object {
  return 'url' in address ? { url: new URL(path, address.url).href, caBundle } : { service: { ...address.service, path }, caBundle }
}

/**
 * A webhook that is down must not keep Kubernetes from emptying a namespace. Where the API server cannot except its own controllers,
 * deletions go unguarded while nothing answers: they are a webhook of their own then.
 */
function webhooksOf(registration: Registration, options: RegistrationOptions, caBundle: string): object[] {
  const { phase, name, rules, failurePolicy, objectSelector } = registration
  const webhook = (changes: object): object => ({
    name, rules, failurePolicy, timeoutSeconds, sideEffects: 'None', matchPolicy: phase === 'validating' && objectSelector !== undefined ? 'Exact' : 'Equivalent', admissionReviewVersions: ['v1'],
    clientConfig: clientConfig(options.address, webhookPaths[phase], caBundle),
    ...(objectSelector === undefined ? {} : { objectSelector }),
    ...(options.namespace === undefined ? {} : { namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: [options.namespace] }] } }),
    ...changes,
  })
  if (options.matchConditions) return [webhook({ matchConditions: conditionsOf(registration, options.controllerUser) })]
  const [deletions, others] = [(operation: string) => operation === 'DELETE', (operation: string) => operation !== 'DELETE']
  const some = (wanted: (operation: string) => boolean) => rules.map((rule) => ({ ...rule, operations: rule.operations.filter(wanted) })).filter(({ operations }) => operations.length > 0)
  const deleting = some(deletions)
  return [webhook({ rules: some(others) }), ...(deleting.length === 0 ? [] : [webhook({ name: `deleting.${name}`, rules: deleting, failurePolicy: 'Ignore' })])]
}

function conditionsOf({ exempt }: Registration, controllerUser: string): object[] {
  const machinery = machineryExpression(controllerUser)
  return [
    { name: 'not-by-machinery', expression: exempt === 'all by machinery' ? `!(${machinery})` : `request.operation != "DELETE" || !(${machinery})` },
    // Finalizers of an object that is being deleted must come off.
    { name: 'not-leaving', expression: 'request.operation == "DELETE" || !has(object.metadata.deletionTimestamp)' },
  ]
}
