import type { AnyObject } from '#kube/types.ts'
import { MatchConditions } from '../cel/match-conditions.ts'
import type { MatchCondition } from '../cel/match-conditions.ts'
import { crdErrors } from '../crd/check.ts'
import { fieldDuplicate, fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../errors.ts'
import type { FieldError } from '../errors.ts'
import { at, equal, isObject } from '../json.ts'
import type { JsonObject } from '../json.ts'
import { selectorMatches } from '../selectors.ts'

type Validate = (object: AnyObject, old: AnyObject | undefined) => FieldError[]

const listOf = (value: unknown): JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])

function missing(field: string, value: unknown): FieldError[] {
  return value === undefined || value === null || value === '' ? [fieldRequired(field)] : []
}

function portErrors(field: string, value: unknown): FieldError[] {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65535 ? [] : [fieldInvalid(field, value, 'must be between 1 and 65535, inclusive')]
}

function duplicates(field: string, list: readonly JsonObject[], keyOf: (item: JsonObject) => unknown, suffix: string): FieldError[] {
  const seen = new Set<unknown>()
  return list.flatMap((item, index) => {
    const key = keyOf(item)
    if (key === undefined || !seen.has(key)) {
      seen.add(key)
      return []
    }
    return [fieldDuplicate(`${field}[${index}]${suffix}`, key)]
  })
}

function containerErrors(field: string, container: JsonObject): FieldError[] {
  const ports = listOf(container['ports'])
  return [
    ...missing(`${field}.name`, container['name']),
    ...missing(`${field}.image`, container['image']),
    ...ports.flatMap((port, index) => portErrors(`${field}.ports[${index}].containerPort`, port['containerPort'])),
    ...listOf(container['env']).flatMap((variable, index) => missing(`${field}.env[${index}].name`, variable['name'])),
    ...listOf(container['volumeMounts']).flatMap((mount, index) => missing(`${field}.volumeMounts[${index}].mountPath`, mount['mountPath'])),
  ]
}

function mountErrors(field: string, spec: JsonObject, claims: readonly string[]): FieldError[] {
  const known = [...listOf(spec['volumes']).map((volume) => volume['name']), ...claims]
  return ['initContainers', 'containers'].flatMap((kind) => listOf(spec[kind]).flatMap((container, index) =>
    listOf(container['volumeMounts']).flatMap((mount, nth) =>
      known.includes(mount['name'] as string) ? [] : [{ field: `${field}.${kind}[${index}].volumeMounts[${nth}].name`, reason: 'FieldValueInvalid' as const, message: `Not found: ${JSON.stringify(mount['name'])}` }])))
}

/** A template may leave the reference to whoever fills it in, a pod may not. */
function imageVolumeErrors({ image }: JsonObject, index: number): FieldError[] {
  return isObject(image) ? missing(`spec.volumes[${index}].image.reference`, image['reference']) : []
}

function podSpecErrors(field: string, value: unknown, claims: readonly string[] = []): FieldError[] {
  if (!isObject(value)) return [fieldRequired(field)]
  const containers = listOf(value['containers'])
  const everyContainer = [...listOf(value['initContainers']), ...containers]
  const policy = value['restartPolicy']
  return [
    ...(containers.length === 0 ? [fieldRequired(`${field}.containers`)] : []),
    ...['initContainers', 'containers'].flatMap((kind) => listOf(value[kind]).flatMap((container, index) => containerErrors(`${field}.${kind}[${index}]`, container))),
    ...duplicates(`${field}.containers`, everyContainer, (container) => container['name'], '.name'),
    ...duplicates(`${field}.volumes`, listOf(value['volumes']), (volume) => volume['name'], '.name'),
    ...(field === 'spec' ? listOf(value['volumes']).flatMap(imageVolumeErrors) : []),
    ...mountErrors(field, value, claims),
    ...(['Always', 'OnFailure', 'Never'].includes(policy as string) ? [] : [fieldNotSupported(`${field}.restartPolicy`, policy, ['Always', 'OnFailure', 'Never'])]),
  ]
}

const mutablePodFields = ['activeDeadlineSeconds', 'terminationGracePeriodSeconds', 'tolerations', 'nodeName', 'schedulingGates']

/** What may not change in a running pod: everything but images and a few fields. */
function frozenPod(spec: unknown): unknown {
  if (!isObject(spec)) return spec
  const rest = Object.fromEntries(Object.entries(spec).filter(([field]) => !mutablePodFields.includes(field)))
  for (const kind of ['containers', 'initContainers']) rest[kind] = listOf(rest[kind]).map(({ image: _image, ...container }) => container)
  return rest
}

function pod(object: AnyObject, old: AnyObject | undefined): FieldError[] {
  const errors = podSpecErrors('spec', object['spec'])
  if (old === undefined || equal(frozenPod(object['spec']), frozenPod(old['spec']))) return errors
  return [...errors, fieldForbidden('spec', 'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds`')]
}

function selectorErrors(object: AnyObject): FieldError[] {
  const selector = at(object, ['spec', 'selector'])
  if (!isObject(selector)) return [fieldRequired('spec.selector')]
  const labels = (at(object, ['spec', 'template', 'metadata', 'labels']) ?? {}) as Record<string, string>
  return selectorMatches(selector, labels) ? [] : [fieldInvalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')]
}

function workload(claims: (object: AnyObject) => string[]): Validate {
  return (object) => [...selectorErrors(object), ...podSpecErrors('spec.template.spec', at(object, ['spec', 'template', 'spec']), claims(object))]
}

const claimNames = (object: AnyObject): string[] => listOf(at(object, ['spec', 'volumeClaimTemplates'])).map((claim) => String(at(claim, ['metadata', 'name'])))

const mutableSetFields = ['replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy', 'minReadySeconds']

function without(spec: unknown, fields: readonly string[]): unknown {
  // An empty list is an absent one.
  return isObject(spec) ? Object.fromEntries(Object.entries(spec).filter(([field, value]) => !fields.includes(field) && !(Array.isArray(value) && value.length === 0))) : spec
}

function statefulSet(object: AnyObject, old: AnyObject | undefined): FieldError[] {
  const errors = workload(claimNames)(object, old)
  const strategy = at(object, ['spec', 'updateStrategy'])
  if (isObject(strategy) && strategy['type'] === 'OnDelete' && strategy['rollingUpdate'] !== undefined) {
    errors.push(fieldInvalid('spec.updateStrategy.rollingUpdate', strategy['rollingUpdate'], "only allowed for updateStrategy 'RollingUpdate'"))
  }
  if (old === undefined || equal(without(object['spec'], mutableSetFields), without(old['spec'], mutableSetFields))) return errors
  return [...errors, fieldForbidden('spec', "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden")]
}

function fixedSelector(object: AnyObject, old: AnyObject | undefined): FieldError[] {
  const errors = workload(() => [])(object, old)
  const now = at(object, ['spec', 'selector'])
  return old === undefined || equal(now, at(old, ['spec', 'selector'])) ? errors : [...errors, fieldInvalid('spec.selector', now, 'field is immutable')]
}

function service(object: AnyObject): FieldError[] {
  const ports = listOf(at(object, ['spec', 'ports']))
  const headless = at(object, ['spec', 'clusterIP']) === 'None' || at(object, ['spec', 'type']) === 'ExternalName'
  return [
    ...(ports.length === 0 && !headless ? [fieldRequired('spec.ports')] : []),
    ...ports.flatMap((port, index) => portErrors(`spec.ports[${index}].port`, port['port'])),
    ...(ports.length > 1 ? ports.flatMap((port, index) => missing(`spec.ports[${index}].name`, port['name'])) : []),
    ...duplicates('spec.ports', ports, (port) => port['name'], '.name'),
    ...duplicates('spec.ports', ports, (port) => `${String(port['protocol'])}/${String(port['port'])}`, ''),
  ]
}

function claim(object: AnyObject, old: AnyObject | undefined): FieldError[] {
  const modes = at(object, ['spec', 'accessModes'])
  const storage = at(object, ['spec', 'resources', 'requests', 'storage'])
  const errors = [...(Array.isArray(modes) && modes.length > 0 ? [] : [fieldRequired('spec.accessModes', 'at least 1 access mode is required')]), ...missing('spec.resources[storage]', storage)]
  const fixed = (claimObject: AnyObject) => without(claimObject['spec'], ['resources', 'volumeName', 'storageClassName', 'volumeAttributesClassName'])
  if (old === undefined || equal(fixed(object), fixed(old))) return errors
  return [...errors, fieldForbidden('spec', 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims')]
}

const longestKey = 253

/** Keys of ConfigMaps and Secrets become names of files. */
function keyErrors(object: AnyObject, field: string): FieldError[] {
  return Object.keys(isObject(object[field]) ? object[field] : {}).flatMap((key) => {
    const why = key.length > longestKey ? `must be no more than ${longestKey} characters`
      : !/^[-._a-zA-Z0-9]+$/.test(key) ? "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
      : key === '.' || key === '..' ? `must not be '${key}'`
      : key.startsWith('..') ? "must not start with '..'" : undefined
    return why === undefined ? [] : [fieldInvalid(`${field}[${key}]`, key, why)]
  })
}

/** ConfigMaps and Secrets marked immutable stay as they are. */
const fileData: Validate = (object, old) => {
  const binary = isObject(object['binaryData']) ? object['binaryData'] : {}
  const twice = Object.keys(isObject(object['data']) ? object['data'] : {}).filter((key) => Object.hasOwn(binary, key))
  const errors = [...keyErrors(object, 'data'), ...twice.map((key) => fieldInvalid(`data[${key}]`, key, 'duplicate of key present in binaryData')), ...keyErrors(object, 'binaryData')]
  if (old?.['immutable'] !== true) return errors
  return [...errors, ...['data', 'binaryData', 'immutable'].filter((field) => !equal(object[field], old[field])).map((field) => fieldForbidden(field, 'field is immutable when `immutable` is set'))]
}

function webhookConfiguration(object: AnyObject): FieldError[] {
  const conditions = new MatchConditions()
  return listOf(object['webhooks']).flatMap(({ matchConditions }, index) => (Array.isArray(matchConditions) ? conditions.errors(matchConditions as MatchCondition[], `webhooks[${index}].matchConditions`) : []))
}

/** By `group/plural`. */
export const builtinValidation: Readonly<Record<string, Validate>> = {
  '/pods': pod,
  '/services': service,
  '/persistentvolumeclaims': claim,
  '/configmaps': fileData,
  '/secrets': fileData,
  'apps/statefulsets': statefulSet,
  'apps/daemonsets': fixedSelector,
  'apps/deployments': fixedSelector,
  'apiextensions.k8s.io/customresourcedefinitions': crdErrors,
  'admissionregistration.k8s.io/mutatingwebhookconfigurations': webhookConfiguration,
  'admissionregistration.k8s.io/validatingwebhookconfigurations': webhookConfiguration,
  'storage.k8s.io/storageclasses': (object) => missing('provisioner', object['provisioner']),
}
