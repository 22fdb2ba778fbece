// Rules of the kinds that their CRDs hold themselves, in the Common Expression Language (Kubernetes, "Validation rules"; on by default
// since 1.25, the oldest that is supported): they hold for every write, of a subresource too, and while no webhook answers.
// Kept here are those of control-plane spec B that an object breaks by itself. K8SFramework has them, so that no stored object breaks
// one. What needs other objects, the user or the time is the webhooks' (validate/), as is what is wider than the reference.
import { names, reservedPorts, serverNameLimit } from '../names.ts'
import { denialText, immutable, invalid } from '../validate/problem.ts'
import type { Schema, ValidationRule } from './builder.ts'

/** The schema with rules; `self` is its value, `oldSelf` the one before an update. */
export function withRules<S extends Schema<unknown>>(schema: S, ...rules: readonly ValidationRule[]): S {
  return { ...schema, json: { ...schema.json, 'x-kubernetes-validations': [...(schema.json['x-kubernetes-validations'] ?? []), ...rules] } }
}

/** The most entries of lists that are compared with each other: Kubernetes refuses rules that could take too long. */
export const compared = { maxItems: 128 } as const

const remedies: Readonly<Record<string, string>> = {
  tserver: 'delete this TServer and create one for the new values',
  tconfig: 'create a new TConfig with the new content; it replaces this one',
  taccount: 'create a TAccount for the other user',
}

const staysText = (kind: string, field: string): string => denialText([immutable(kind, field, remedies[kind])])

/** A field that cannot change. @param field its path */
export function fixed<S extends Schema<unknown>>(kind: string, field: string, schema: S): S {
  return withRules(schema, { rule: 'self == oldSelf', message: staysText(kind, field) })
}

const broken = (kind: string, field: string, why: string, [rule, remedy]: readonly [string, string]): string => denialText([invalid(kind, field, why, rule, remedy)])

/** @param one and @param other CEL of the values of two items */
const unique = (list: string, value: (item: string) => string): string => `${list}.all(one, ${list}.exists_one(other, ${value('other')} == ${value('one')}))`
const lowerName = (item: string): string => `${item}.name.lowerAscii()`
const portNumber = (item: string): string => `${item}.port`

const serverBroken = (field: string, why: string, ...texts: readonly [string, string]): string => broken('tserver', field, why, texts)
const ownName = ['servants and ports need names of their own (case does not matter)', 'rename one of them'] as const
const ownPort = ['every servant and port needs a port number of its own', 'give one of them another port'] as const

const sameAsBefore = (field: string): string => `has(self.${field}) ? has(oldSelf.${field}) && self.${field} == oldSelf.${field} : !has(oldSelf.${field})`

/** Of the sidecars of a TServer. */
export const sidecarsRules: readonly ValidationRule[] = [
  { rule: unique('self', (item) => `${item}.name`), message: serverBroken('spec.k8s.sidecars', 'duplicate sidecar name value', 'every container needs a name of its own', 'rename one of them') },
  { rule: `self.all(one, one.name != '${names.nodeContainer}')`, message: serverBroken('spec.k8s.sidecars', 'sidecar name is taken', 'it is that of the init container of tarsnode', 'rename the sidecar') },
]

/** Of whole TServers. */
export const serverRules: readonly ValidationRule[] = [
  {
    rule: "self.metadata.name == self.spec.app.lowerAscii() + '-' + self.spec.server.lowerAscii() + (has(self.spec.variant) ? '-' + self.spec.variant : '')",
    message: serverBroken('metadata.name', 'unexpected resource name', 'must be lower(spec.app)-lower(spec.server), and -spec.variant where there is one', 'set metadata.name to that, or correct spec.app, spec.server and spec.variant'),
  },
  {
    rule: `size(self.metadata.name) < ${serverNameLimit}`,
    message: serverBroken('metadata.name', `the length of resource name should be less than ${serverNameLimit}`, 'pods and labels are named after it', 'shorten spec.app or spec.server'),
  },
]

const namedBy = (list: string): string => `self.${list}.exists(port, port.name.lowerAscii() == host.nameRef.lowerAscii())`

/** Of the spec of TServers. */
export const serverSpecRules: readonly ValidationRule[] = [
  ...(['tars', 'normal'] as const).map((field) => ({ rule: `!has(self.${field}) || has(oldSelf.${field})`, message: staysText('tserver', `spec.${field}`) })),
  { rule: sameAsBefore('variant'), message: staysText('tserver', 'spec.variant') },
  {
    rule: `!has(self.k8s.hostPorts) || self.k8s.hostPorts.all(host, (has(self.tars) && (${namedBy('tars.servants')} || (has(self.tars.ports) && ${namedBy('tars.ports')}))) || (has(self.normal) && ${namedBy('normal.ports')}))`,
    message: serverBroken('spec.k8s.hostPorts', 'port name not exist', 'each nameRef must name a servant or port of this server', 'add the port first, or correct the nameRef'),
  },
]

/** Of servants and ports together. */
export const tarsRules: readonly ValidationRule[] = [
  { rule: '!has(self.ports) || self.ports.all(port, !self.servants.exists(servant, servant.name.lowerAscii() == port.name.lowerAscii()))', message: serverBroken('spec.tars.ports', 'duplicate port name value', ...ownName) },
  { rule: '!has(self.ports) || self.ports.all(port, !self.servants.exists(servant, servant.port == port.port))', message: serverBroken('spec.tars.ports', 'duplicate port value', ...ownPort) },
]

const notReserved = (what: string, field: string): ValidationRule => ({
  rule: `self.all(one, one.port != ${reservedPorts.node})`,
  message: serverBroken(field, `${what}port value should not equal ${reservedPorts.node}`, `port ${reservedPorts.node} is used by tarsnode in every pod`, 'choose another port'),
})

/** Of the servants of a TServer. */
export const servantsRules: readonly ValidationRule[] = [
  { rule: unique('self', lowerName), message: serverBroken('spec.tars.servants', 'duplicate servant name value', ...ownName) },
  { rule: unique('self', portNumber), message: serverBroken('spec.tars.servants', 'duplicate port value', ...ownPort) },
  notReserved('servants ', 'spec.tars.servants'),
]

/** Of the further ports of a TServer. @param kind which field they are below */
export const portsRules = (kind: 'tars' | 'normal'): readonly ValidationRule[] => [
  { rule: unique('self', lowerName), message: serverBroken(`spec.${kind}.ports`, 'duplicate port name value', ...ownName) },
  { rule: unique('self', portNumber), message: serverBroken(`spec.${kind}.ports`, 'duplicate port value', ...ownPort) },
  ...(kind === 'tars' ? [notReserved('', 'spec.tars.ports')] : []),
]

/** Of the host ports of a TServer. */
export const hostPortsRules: readonly ValidationRule[] = [
  { rule: unique('self', (item) => `${item}.nameRef.lowerAscii()`), message: serverBroken('spec.k8s.hostPorts', 'duplicate nameRef value', 'a servant or port has at most one host port', 'remove one of them') },
  { rule: unique('self', portNumber), message: serverBroken('spec.k8s.hostPorts', 'duplicate port value', 'a host port serves one servant or port', 'choose another host port') },
]

/** Of the mounts of a TServer. */
export const mountsRules: readonly ValidationRule[] = [
  { rule: unique('self', (item) => `${item}.name`), message: serverBroken('spec.k8s.mounts', 'duplicate .mounts.name value', 'a volume has one entry', 'rename one of them') },
]

const perPod = [['tLocalVolume', 'TLocalVolume'], ['persistentVolumeClaimTemplate', 'PersistentVolumeClaimTemplate']] as const

/** Of how a TServer runs. */
export const k8sRules: readonly ValidationRule[] = perPod.map(([source, name]) => ({
  rule: `!self.daemonSet || !has(self.mounts) || self.mounts.all(mount, !has(mount.source.${source}))`,
  message: serverBroken('spec.k8s.mounts', `can not use ${name} when .daemonSet value is true`, 'pods of a DaemonSet have no claims of their own', 'use hostPath, or set spec.k8s.daemonSet to false'),
}))

/** Of a server that is scaled by load. */
export const autoscaledRule: ValidationRule = {
  rule: '!has(self.autoscaling) || !self.daemonSet',
  message: serverBroken('spec.k8s.autoscaling', 'can not use .autoscaling when .daemonSet value is true', 'a DaemonSet has one pod on every node', 'remove one of them'),
}

/** Of how it is scaled. */
export const autoscalingRules: readonly ValidationRule[] = [
  { rule: 'self.minReplicas <= self.maxReplicas', message: serverBroken('spec.k8s.autoscaling', 'unexpected replicas value', 'minReplicas is more than maxReplicas', 'raise the one or lower the other') },
  { rule: 'has(self.cpu) || has(self.memory) || (has(self.metrics) && size(self.metrics) > 0)', message: serverBroken('spec.k8s.autoscaling', 'no metric', 'pods come and go by at least one metric', 'set cpu, memory or metrics') },
]

/** Of whole TConfigs, besides the fields that are {@link fixed}. */
export const configRules: readonly ValidationRule[] = [
  ...['set', 'references', 'version', 'updateTime', 'updatePerson', 'updateReason'].map((field) => ({ rule: sameAsBefore(field), message: staysText('tconfig', field) })),
  { rule: "self.server != '' || self.podSeq == 'm'", message: broken('tconfig', 'podSeq', 'app level tconfig does not support master/slave', ['must be "m" when server is empty', 'set podSeq to "m", or name the server']) },
]

/** Of whole TTrees. */
export const treeRules: readonly ValidationRule[] = [
  { rule: `self.metadata.name == '${names.tree}'`, message: denialText([{ field: 'metadata.name', message: 'create ttree operation is defined', rule: `a namespace has one TTree, named ${names.tree}`, remedy: `name it ${names.tree}` }]) },
]

/** Of the releases of a TImage. */
export const releasesRules: readonly ValidationRule[] = [
  { rule: unique('self', (item) => `${item}.id`), message: broken('timage', 'releases', 'duplicate release id', ['a release is listed once', 'remove one of them']) },
]
