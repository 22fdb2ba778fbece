// Field numbers of the messages that kubectl sends as protobuf (generated.proto of k8s.io/api and k8s.io/apimachinery).

export type FieldType =
  | 'string' | 'bytes' | 'int' | 'bool' | 'time'
  | { readonly message: Message }
  | { readonly map: 'string' | 'bytes' }
  | { readonly list: 'string' | { readonly message: Message } }
  /** IntOrString: { type = 1, intVal = 2, strVal = 3 } */
  | 'intOrString'

export type Message = Readonly<Record<number, readonly [name: string, type: FieldType]>>

const text = (number: number, name: string): Message => ({ [number]: [name, 'string'] })
const message = (fields: Message): FieldType => ({ message: fields })
const listOf = (fields: Message): FieldType => ({ list: { message: fields } })
const strings: FieldType = { list: 'string' }
const stringMap: FieldType = { map: 'string' }
const byteMap: FieldType = { map: 'bytes' }

const ownerReference: Message = { 1: ['kind', 'string'], 3: ['name', 'string'], 4: ['uid', 'string'], 5: ['apiVersion', 'string'], 6: ['controller', 'bool'], 7: ['blockOwnerDeletion', 'bool'] }

const metadata: Message = {
  1: ['name', 'string'], 2: ['generateName', 'string'], 3: ['namespace', 'string'], 5: ['uid', 'string'], 6: ['resourceVersion', 'string'], 7: ['generation', 'int'],
  8: ['creationTimestamp', 'time'], 9: ['deletionTimestamp', 'time'], 10: ['deletionGracePeriodSeconds', 'int'], 11: ['labels', stringMap], 12: ['annotations', stringMap],
  13: ['ownerReferences', listOf(ownerReference)], 14: ['finalizers', strings],
}

const object = (fields: Message): Message => ({ 1: ['metadata', message(metadata)], ...fields })
const reference = text(1, 'name')

const servicePort: Message = { 1: ['name', 'string'], 2: ['protocol', 'string'], 3: ['port', 'int'], 4: ['targetPort', 'intOrString'], 5: ['nodePort', 'int'], 6: ['appProtocol', 'string'] }
const serviceSpec: Message = {
  1: ['ports', listOf(servicePort)], 2: ['selector', stringMap], 3: ['clusterIP', 'string'], 4: ['type', 'string'], 5: ['externalIPs', strings], 7: ['sessionAffinity', 'string'],
  8: ['loadBalancerIP', 'string'], 10: ['externalName', 'string'], 13: ['publishNotReadyAddresses', 'bool'], 18: ['clusterIPs', strings],
}

const resourceAttributes: Message = { 1: ['namespace', 'string'], 2: ['verb', 'string'], 3: ['group', 'string'], 4: ['version', 'string'], 5: ['resource', 'string'], 6: ['subresource', 'string'], 7: ['name', 'string'] }
const nonResourceAttributes: Message = { 1: ['path', 'string'], 2: ['verb', 'string'] }
const access: Message = { 1: ['resourceAttributes', message(resourceAttributes)], 2: ['nonResourceAttributes', message(nonResourceAttributes)] }

const policyRule: Message = { 1: ['verbs', strings], 2: ['apiGroups', strings], 3: ['resources', strings], 4: ['resourceNames', strings], 5: ['nonResourceURLs', strings] }
const subject: Message = { 1: ['kind', 'string'], 2: ['apiGroup', 'string'], 3: ['name', 'string'], 4: ['namespace', 'string'] }
const roleRef: Message = { 1: ['apiGroup', 'string'], 2: ['kind', 'string'], 3: ['name', 'string'] }
const binding: Message = object({ 2: ['subjects', listOf(subject)], 3: ['roleRef', message(roleRef)] })
const role: Message = object({ 2: ['rules', listOf(policyRule)] })

/** By `apiVersion/kind`; other kinds must come as JSON. */
export const messages: Readonly<Record<string, Message>> = {
  'v1/Namespace': object({ 2: ['spec', message({ 1: ['finalizers', strings] })], 3: ['status', message(text(1, 'phase'))] }),
  'v1/ConfigMap': object({ 2: ['data', stringMap], 3: ['binaryData', byteMap], 4: ['immutable', 'bool'] }),
  'v1/Secret': object({ 2: ['data', byteMap], 3: ['type', 'string'], 4: ['stringData', stringMap], 5: ['immutable', 'bool'] }),
  'v1/ServiceAccount': object({ 2: ['secrets', listOf({ 3: ['name', 'string'] })], 3: ['imagePullSecrets', listOf(reference)], 4: ['automountServiceAccountToken', 'bool'] }),
  'v1/Service': object({ 2: ['spec', message(serviceSpec)] }),
  'v1/DeleteOptions': {
    1: ['gracePeriodSeconds', 'int'], 2: ['preconditions', message({ 1: ['uid', 'string'], 2: ['resourceVersion', 'string'] })], 3: ['orphanDependents', 'bool'],
    4: ['propagationPolicy', 'string'], 5: ['dryRun', strings],
  },
  'rbac.authorization.k8s.io/v1/Role': role,
  'rbac.authorization.k8s.io/v1/ClusterRole': role,
  'rbac.authorization.k8s.io/v1/RoleBinding': binding,
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': binding,
  'authorization.k8s.io/v1/SelfSubjectAccessReview': object({ 2: ['spec', message(access)] }),
  'authorization.k8s.io/v1/SelfSubjectRulesReview': object({ 2: ['spec', message(text(1, 'namespace'))] }),
  'authentication.k8s.io/v1/SelfSubjectReview': object({}),
}
