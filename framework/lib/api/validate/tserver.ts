import { abilityLabel, annotations, isLabel, labels, names, reservedPorts, serverNameLimit, serverObjectName, statefulNameLength } from '../names.ts'
import type { HostPort, Mount, ServerPort, Servant, TServer } from '../types.ts'
import { autoscalerBounds, replicaBounds } from '../replicas.ts'
import { immutable, invalid, notExist, type Problem } from './problem.ts'

const bad = (field: string, why: string, rule: string, remedy: string): Problem => invalid('tserver', field, why, rule, remedy)

/**
 * Rules that the schema cannot say (control-plane spec B.2). Whether the template exists is the caller's to look up: {@link missingTemplate}.
 * What an object had before, as K8SFramework let it in, is not held against another change of it.
 * @param old the object before an update
 */
export function validateServer(server: TServer, old?: TServer): Problem[] {
  if (old === undefined) return stateProblems(server)
  const known = new Set(stateProblems(old).map(problemKey))
  return [...changes(server, old), ...stateProblems(server).filter((problem) => !known.has(problemKey(problem)))]
}

const problemKey = ({ field, message, rule }: Problem): string => `${field} ${message} ${rule}`

function stateProblems(server: TServer): Problem[] {
  const { spec } = server
  return [
    ...nameProblems(server),
    ...replicaBounds(server).problems,
    ...(spec.tars === undefined ? [] : portProblems(spec.tars.servants, spec.tars.ports ?? [], 'spec.tars', true)),
    ...(spec.normal === undefined ? [] : portProblems([], spec.normal.ports, 'spec.normal', false)),
    ...hostPortProblems(server),
    ...mountProblems(spec.k8s.mounts ?? [], spec.k8s.daemonSet),
    ...sidecarProblems(server),
    ...autoscalingProblems(server),
    ...templateLabelProblems(server),
    ...instanceProblems(server),
    ...abilityProblems(server),
  ]
}

/** The refusal of a server whose template is not there. */
export function missingTemplate(server: TServer, template: string): Problem {
  return notExist('spec.tars.template', 'ttemplate', server.metadata.namespace ?? '', template, `create TTemplate ${template} first, or name one that exists`)
}

function changes(server: TServer, old: TServer): Problem[] {
  const remedy = 'delete this TServer and create one for the new values'
  const fields = (['app', 'server', 'variant', 'subType'] as const).filter((field) => server.spec[field] !== old.spec[field])
  const added = (['tars', 'normal'] as const).filter((field) => server.spec[field] !== undefined && old.spec[field] === undefined)
  return [...fields, ...added].map((field) => immutable('tserver', `spec.${field}`, remedy))
}

function nameProblems({ metadata: { name }, spec: { app, server, variant, k8s } }: TServer): Problem[] {
  const expected = serverObjectName(app, server, variant)
  const problems: Problem[] = []
  if (name !== expected) {
    problems.push(bad('metadata.name', 'unexpected resource name', `must be lower(spec.app)-lower(spec.server)${variant === undefined ? '' : '-spec.variant'}, which is "${expected}", not "${name}"`, `set metadata.name to "${expected}", or correct ${variant === undefined ? 'spec.app and spec.server' : 'spec.app, spec.server and spec.variant'}`))
  }
  if (name.length >= serverNameLimit) {
    problems.push(bad('metadata.name', `the length of resource name should be less than ${serverNameLimit}`, `it has ${name.length} characters, and pods and labels are named after it`, 'shorten spec.app or spec.server'))
  } else if (name.length > statefulNameLength && !k8s.daemonSet) {
    problems.push(bad('metadata.name', `the length of resource name should be at most ${statefulNameLength}`, `it has ${name.length} characters, and Kubernetes makes no pods of a StatefulSet whose name is so long`, 'shorten spec.app or spec.server, or set spec.k8s.daemonSet'))
  }
  return problems
}

/** Servants and ports share one name space (case does not matter) and one space of port numbers. */
function portProblems(servants: readonly Servant[], ports: readonly ServerPort[], path: string, reserve: boolean): Problem[] {
  const names = new Map<string, string>()
  const numbers = new Map<number, string>()
  const items = [
    ...servants.map((item, index) => ({ item, field: `${path}.servants[${index}]`, what: 'servant', prefix: 'servants ' })),
    ...ports.map((item, index) => ({ item, field: `${path}.ports[${index}]`, what: 'port', prefix: '' })),
  ]
  return items.flatMap(({ item, field, what, prefix }) => [
    ...(reserve ? reservedProblems(item.port, field, prefix) : []),
    ...duplicate(names, item.name.toLowerCase(), `${field}.name`, { why: `duplicate ${what} name value ${item.name}`, rule: 'servants and ports need names of their own (case does not matter)', remedy: 'rename one of them' }),
    ...duplicate(numbers, item.port, `${field}.port`, { why: `duplicate port value ${item.port}`, rule: 'every servant and port needs a port number of its own', remedy: 'give one of them another port' }),
  ])
}

function reservedProblems(port: number, field: string, prefix: string): Problem[] {
  if (!(Object.values(reservedPorts) as number[]).includes(port)) return []
  const used = Object.values(reservedPorts).toSorted((a, b) => a - b).join(', ')
  return [bad(`${field}.port`, `${prefix}port value should not equal ${port}`, `ports ${used} are used by tarsnode in every pod`, 'choose another port')]
}

interface Uniqueness { readonly why: string; readonly rule: string; readonly remedy: string }

/** @param seen fields by value; the value is added */
function duplicate<T>(seen: Map<T, string>, value: T, field: string, { why, rule, remedy }: Uniqueness): Problem[] {
  const first = seen.get(value)
  if (first !== undefined) return [bad(field, why, `${rule}; ${first} has it already`, remedy)]
  seen.set(value, field)
  return []
}

function hostPortProblems({ spec }: TServer): Problem[] {
  const known = new Set([...(spec.tars?.servants ?? []), ...(spec.tars?.ports ?? []), ...(spec.normal?.ports ?? [])].map(({ name }) => name.toLowerCase()))
  const refs = new Map<string, string>()
  const numbers = new Map<number, string>()
  return (spec.k8s.hostPorts ?? []).flatMap(({ nameRef, port }: HostPort, index) => {
    const field = `spec.k8s.hostPorts[${index}]`
    const missing = known.has(nameRef.toLowerCase()) ? [] : [bad(`${field}.nameRef`, `port name ${nameRef} not exist`, 'must name a servant or port of this server', known.size === 0 ? 'add the port first' : `use one of ${[...known].join(', ')}`)]
    return [
      ...missing,
      ...duplicate(refs, nameRef.toLowerCase(), `${field}.nameRef`, { why: `duplicate nameRef value ${nameRef}`, rule: 'a servant or port has at most one host port', remedy: 'remove one of them' }),
      ...duplicate(numbers, port, `${field}.port`, { why: `duplicate port value ${port}`, rule: 'a host port serves one servant or port', remedy: 'choose another host port' }),
    ]
  })
}

function mountProblems(mounts: readonly Mount[], daemonSet: boolean): Problem[] {
  const names = new Map<string, string>()
  return mounts.flatMap((mount, index) => {
    const field = `spec.k8s.mounts[${index}]`
    const perPod = (['tLocalVolume', 'persistentVolumeClaimTemplate'] as const).filter((source) => daemonSet && mount.source[source] !== undefined)
    return [
      ...duplicate(names, mount.name, `${field}.name`, { why: `duplicate .mounts.name value ${mount.name}`, rule: 'a volume has one entry', remedy: 'rename one of them' }),
      ...perPod.map((source) => bad(`${field}.source.${source}`, `can not use ${source === 'tLocalVolume' ? 'TLocalVolume' : 'PersistentVolumeClaimTemplate'} when .daemonSet value is true`, 'pods of a DaemonSet have no claims of their own', 'use hostPath, or set spec.k8s.daemonSet to false')),
    ]
  })
}

function sidecarProblems({ metadata, spec }: TServer): Problem[] {
  const seen = new Map<string, string>()
  return (spec.k8s.sidecars ?? []).flatMap(({ name }, index) => {
    const field = `spec.k8s.sidecars[${index}].name`
    return [
      ...([metadata.name, names.nodeContainer].includes(name) ? [bad(field, 'sidecar name is taken', `${name} is the name of ${name === metadata.name ? 'the server\'s own container' : 'the init container of tarsnode'}`, 'rename the sidecar')] : []),
      ...duplicate(seen, name, field, { why: `duplicate sidecar name value ${name}`, rule: 'every container needs a name of its own', remedy: 'rename one of them' }),
    ]
  })
}

const autoscalingField = 'spec.k8s.autoscaling'

function autoscalingProblems(server: TServer): Problem[] {
  const { autoscaling, daemonSet, resources } = server.spec.k8s
  if (autoscaling === undefined) return []
  if (daemonSet) return [bad(autoscalingField, 'can not use .autoscaling when .daemonSet value is true', 'a DaemonSet has one pod on every node', 'remove one of them')]
  const { minReplicas, maxReplicas, metrics = [] } = autoscaling
  const bounds = autoscalerBounds(server)
  const measured = (['cpu', 'memory'] as const).filter((name) => autoscaling[name] !== undefined)
  const unknown = measured.filter((name) => resources.requests?.[name] === undefined && resources.limits?.[name] === undefined)
  return [
    ...(minReplicas > maxReplicas ? [bad(autoscalingField, 'unexpected replicas value', `minReplicas is ${minReplicas}, more than maxReplicas, which is ${maxReplicas}`, 'raise the one or lower the other')]
      : bounds !== undefined && bounds.min > bounds.max ? [bad(autoscalingField, 'unexpected replicas value', `it must overlap with the annotations ${annotations.minReplicas} and ${annotations.maxReplicas}, and leaves nothing between ${bounds.min} and ${bounds.max}`, 'change the one or the others')] : []),
    ...(measured.length + metrics.length === 0 ? [bad(autoscalingField, 'no metric', 'pods come and go by at least one metric', 'set cpu, memory or metrics')] : []),
    ...unknown.map((name) => bad(`${autoscalingField}.${name}`, `no request of ${name}`, `it is a percentage of spec.k8s.resources.requests.${name}, which is not set`, `set it, or use metrics with an average value`)),
  ]
}

/** The template's name is also a label value, which Kubernetes limits to 63 characters. */
function templateLabelProblems({ spec: { tars } }: TServer): Problem[] {
  if (tars === undefined || tars.template.length <= 63) return []
  return [bad('spec.tars.template', 'template name is too long', `at most 63 characters, as it becomes the label ${labels.template}`, 'rename the template')]
}

/** A label that nodes must have and none can have. */
function abilityProblems({ metadata: { namespace = '' }, spec: { app, server, k8s: { abilityAffinity, daemonSet } } }: TServer): Problem[] {
  if (daemonSet || (abilityAffinity !== 'AppRequired' && abilityAffinity !== 'ServerRequired')) return []
  const label = abilityLabel(namespace, app, abilityAffinity === 'ServerRequired' ? server : undefined)
  if (isLabel(label)) return []
  return [bad('spec.k8s.abilityAffinity', `no node can have the label ${label}`, 'the part of a label behind its prefix has at most 63 characters', `use ${abilityAffinity === 'ServerRequired' ? 'AppRequired or None' : 'None'}, and spec.k8s.nodeSelector for a label of your own`)]
}

function instanceProblems({ spec: { tars, k8s } }: TServer): Problem[] {
  return (tars?.instances ?? []).flatMap(({ pods }, index) => {
    if (pods === undefined) return []
    const field = `spec.tars.instances[${index}].pods`
    if (k8s.daemonSet) return [bad(field, 'can not use pods when .daemonSet value is true', 'pods of a DaemonSet have no numbers', 'remove pods, or set spec.k8s.daemonSet to false')]
    const backward = pods.split(',').find((range) => Number(range.split('-')[0]) > Number(range.split('-')[1] ?? Infinity))
    return backward === undefined ? [] : [bad(field, `unexpected range ${backward}`, 'a range goes from the lower number to the higher', `write it as ${backward.split('-').toReversed().join('-')}`)]
  })
}
