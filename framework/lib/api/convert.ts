// Conversion between the versions of TServer and TFrameworkConfig (control-plane spec A.11): lossless, by annotation.
import { annotations, group, versions, type Version } from './names.ts'
import { withAnnotations } from './meta.ts'
import { isRecord } from './schema/shape.ts'
import type { ApiObject } from './types.ts'

type Fields = Readonly<Record<string, unknown>>
interface Convertible extends ApiObject { spec?: Fields; [field: string]: unknown }

/** What an older version could not hold, by name of the field, in K8SFramework's form: each reads what the other wrote. `drop` is never filled. */
interface Saved { readonly append: Fields; readonly drop: Fields }

/**
 * The object in another version. Fields that an older version cannot hold are kept in an annotation and come back on the way up.
 * @returns undefined when the kind has no such version
 */
export function convertObject(object: ApiObject, target: Version): ApiObject | undefined {
  const from = versionOf(object.apiVersion)
  const convert = converters[object.kind]
  if (from === undefined || convert === undefined || ![from, target].every((version) => kindVersions[object.kind]?.includes(version))) return undefined
  if (from === target) return object
  // Without the shape of its kind it only changes its name: the schema will refuse it, and say why.
  return isConvertible(object as Convertible) ? convert(object as Convertible, from, target) : { ...object, apiVersion: `${group}/${target}` }
}

/** True when the parts that conversion touches are what they should be. */
function isConvertible({ kind, spec, imageBuild, metadata }: Convertible): boolean {
  if (metadata.annotations !== undefined && !isRecord(metadata.annotations)) return false
  if (kind !== 'TServer') return isRecord(imageBuild)
  if (!isRecord(spec) || !isRecord(spec['k8s'])) return false
  const gates = spec['k8s']['readinessGates']
  return (gates === undefined || Array.isArray(gates)) && ['tars', 'normal', 'release'].every((name) => spec[name] === undefined || isRecord(spec[name]))
}

const versionNumbers: Readonly<Record<Version, number>> = { v1beta1: 1, v1beta2: 2, v1beta3: 3 }

function versionOf(apiVersion: string): Version | undefined {
  const [name, version] = apiVersion.split('/')
  return name === group && version !== undefined && version in versionNumbers ? (version as Version) : undefined
}

const kindVersions: Readonly<Record<string, readonly Version[]>> = { TServer: versions, TFrameworkConfig: ['v1beta2', 'v1beta3'] }

const converters: Readonly<Record<string, (object: Convertible, from: Version, to: Version) => ApiObject>> = {
  TServer: convertServer,
  TFrameworkConfig: convertFramework,
}

/** Holds what only v1beta1 knows, whatever the other version. */
const oldestKey = `${annotations.conversionPrefix}1b1`

/** Holds what a newer version of the two has, and the older one not. */
const keys = { oldToMiddle: `${annotations.conversionPrefix}1b11b2`, oldToHub: `${annotations.conversionPrefix}1b11b3`, middleToHub: `${annotations.conversionPrefix}1b21b3` } as const

function convertServer(object: Convertible, from: Version, to: Version): ApiObject {
  return versionNumbers[from] < versionNumbers[to] ? serverUp(object, from, to) : serverDown(object, from, to)
}

const since = {
  /** Fields of spec.k8s that came with a version. */
  k8s: { v1beta2: ['updateStrategy', 'imagePullPolicy', 'launcherType'], v1beta3: ['command', 'args', 'autoscaling', 'tolerations', 'topologySpreadConstraints', 'priorityClassName', 'podSecurityContext', 'securityContext', 'probes', 'sidecars'] },
  release: ['nodeImage', 'nodeSecret'],
} as const

function serverDown(object: Convertible, from: Version, to: Version): ApiObject {
  const spec = object.spec ?? {}
  const k8s = { ...(spec['k8s'] as Fields) }
  const release = spec['release'] === undefined ? undefined : { ...(spec['release'] as Fields) }
  const saved = {
    ...(from === 'v1beta3' ? { ...take(k8s, since.k8s.v1beta3), ...narrowGates(k8s) } : {}),
    ...(to === 'v1beta1' ? { ...take(k8s, since.k8s.v1beta2), ...take(release ?? {}, since.release) } : {}),
  }
  if (to === 'v1beta1' && release !== undefined) Object.assign(release, take(readSaved(object, oldestKey), ['source']))
  const kept = to === 'v1beta2' ? { [keys.middleToHub]: saved } : from === 'v1beta3' ? { [keys.oldToHub]: saved, [keys.oldToMiddle]: {}, [keys.middleToHub]: {} } : { [keys.oldToMiddle]: saved, [keys.oldToHub]: {} }
  return finish(object, to, { ...spec, k8s, ...(release === undefined ? {} : { release }) }, { ...kept, ...(to === 'v1beta1' ? { [oldestKey]: {} } : {}) })
}

/** Removes the named fields and returns those that say something. */
function take(fields: Record<string, unknown>, wanted: readonly string[]): Record<string, unknown> {
  const taken: Record<string, unknown> = {}
  for (const name of wanted) {
    if (fields[name] !== undefined && !isEmptyList(fields[name])) taken[name] = fields[name]
    delete fields[name]
  }
  return taken
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0

/** The first gate becomes readinessGate; the others are returned to be kept. */
function narrowGates(k8s: Record<string, unknown>): Fields {
  const gates = (k8s['readinessGates'] as string[] | undefined) ?? []
  delete k8s['readinessGates']
  const [first, ...others] = gates
  if (first !== undefined) k8s['readinessGate'] = first
  return others.length === 0 ? {} : { readinessGates: others }
}

/** What the API server gives an object of a newer version; it gives converted ones nothing. */
const defaultsSinceV1beta2 = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } }, imagePullPolicy: 'Always', launcherType: 'background' } as const

/**
 * Whichever newer version was written, and whichever is read now: what was kept of it is in the annotation of the two, or on the way
 * through v1beta2 in two of them.
 */
function serverUp(object: Convertible, from: Version, to: Version): ApiObject {
  const spec = object.spec ?? {}
  const saved = (from === 'v1beta1' ? [keys.oldToHub, keys.oldToMiddle, keys.middleToHub] : [keys.middleToHub]).reduce((all, key) => Object.assign(all, readSaved(object, key)), {} as Record<string, unknown>)
  const { source, ...release } = { ...(spec['release'] as Fields | undefined), ...take(saved, since.release) } as Record<string, unknown>
  const { readinessGates: others, ...kept } = saved
  // What v1beta2 does not know waits further.
  const waiting = to === 'v1beta2' ? { ...take(kept, since.k8s.v1beta3), ...(Array.isArray(others) ? { readinessGates: others } : {}) } : {}
  const k8s: Record<string, unknown> = { ...(from === 'v1beta1' ? { resources: {} } : {}), ...(spec['k8s'] as Fields), ...(from === 'v1beta1' ? defaultsSinceV1beta2 : {}), ...kept }
  if (to === 'v1beta3') widenGates(k8s, Array.isArray(others) ? others : [])
  const normal = spec['normal'] === undefined ? undefined : { ports: [], ...(spec['normal'] as Fields) }
  return finish(object, to, {
    ...spec, k8s,
    ...(spec['release'] === undefined ? {} : { release }),
    ...(normal === undefined ? {} : { normal }),
  }, { [keys.oldToHub]: {}, [keys.oldToMiddle]: {}, [keys.middleToHub]: waiting, ...(source === undefined ? {} : { [oldestKey]: { source } }) })
}

function widenGates(k8s: Record<string, unknown>, others: readonly unknown[]): void {
  const first = k8s['readinessGate']
  delete k8s['readinessGate']
  const gates = [...(typeof first === 'string' && first !== '' ? [first] : []), ...others]
  if (gates.length > 0) k8s['readinessGates'] = gates
}

function convertFramework(object: Convertible, _from: Version, to: Version): ApiObject {
  const key = keys.middleToHub
  if (to === 'v1beta2') {
    const { imageUpload, imageBuild, ...rest } = object
    const build = { ...(imageBuild as Fields) }
    const saved = take(build, ['executor'])
    return finish({ ...rest, imageRegistry: imageUpload, imageBuild: build } as Convertible, to, undefined, { [key]: saved })
  }
  const { imageRegistry, imageBuild, ...rest } = object
  const build = { ...(imageBuild as Fields), ...take(readSaved(object, key), ['executor']) }
  return finish({ ...rest, imageUpload: imageRegistry, imageBuild: build } as Convertible, to, undefined, { [key]: {} })
}

/** The converted object; what was saved goes into annotations, and an annotation that says nothing goes away. */
function finish(object: Convertible, to: Version, spec: Fields | undefined, saved: Readonly<Record<string, Fields>>): ApiObject {
  const texts = Object.entries(saved).map(([key, fields]) => [key, Object.keys(fields).length === 0 ? undefined : JSON.stringify({ append: fields, drop: {} } satisfies Saved)] as const)
  const metadata = withAnnotations(object.metadata, Object.fromEntries(texts))
  return { ...object, apiVersion: `${group}/${to}`, metadata, ...(spec === undefined ? {} : { spec: withoutEmptyPorts(spec) }) }
}

/** tars.ports is left out when empty; normal.ports stays (both are compatibility promises). */
function withoutEmptyPorts(spec: Fields): Fields {
  const tars = spec['tars'] as Fields | undefined
  if (tars === undefined || !Array.isArray(tars['ports']) || tars['ports'].length > 0) return spec
  const { ports: _, ...rest } = tars
  return { ...spec, tars: rest }
}

/** What an annotation holds. A user may have spoilt it: what is no object counts as nothing. */
function readSaved(object: ApiObject, key: string): Record<string, unknown> {
  try {
    const saved = JSON.parse(object.metadata.annotations?.[key] ?? '{}') as Partial<Saved> | null
    if (!isRecord(saved?.append)) return {}
    // TarsK8S once sorted the fields by the part of the object that they belong to.
    const { k8s, release, imageBuild, ...fields } = saved.append
    const all = Object.assign(fields, ...[k8s, release, imageBuild].filter(isRecord)) as Fields
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && !isEmptyList(value)))
  } catch {
    return {}
  }
}
