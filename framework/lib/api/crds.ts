// The CustomResourceDefinitions of the k8s.tars.io group, made from the schemas in schema/. Source: control-plane spec A.
import { group, hubVersion, versions, type Version } from './names.ts'
import { object, type JsonSchema, type Schema, type Shape, type ValidationRule } from './schema/builder.ts'
import { taccountSpec, tframeworkkeySpec, tpluginSpec, tpluginV1beta1Spec } from './schema/account.ts'
import { tconfigFields, texitedrecordFields, tframeworkconfigFields, tframeworkconfigV1beta2Fields, timageFields, ttemplateSpec, ttreeFields } from './schema/others.ts'
import { configRules, serverRules, treeRules } from './schema/rules.ts'
import { tconfigStatus, timageStatus } from './schema/status.ts'
import { tendpointSpec, tendpointStatus } from './schema/tendpoint.ts'
import { tserverSpecSchema, tserverStatus } from './schema/tserver.ts'

interface Column { readonly name: string; readonly type: string; readonly jsonPath: string; readonly description?: string }

interface Definition {
  readonly kind: string
  readonly plural: string
  readonly shortName?: string
  readonly about: string
  /** Whole-object properties beside apiVersion, kind and metadata. */
  readonly properties: (version: Version) => { readonly properties: Record<string, JsonSchema>; readonly required: string[] }
  /** Of whole objects. */
  readonly rules?: readonly ValidationRule[]
  readonly columns?: (version: Version) => Column[]
  readonly subresources?: Record<string, unknown>
  readonly versions?: readonly Version[]
  readonly webhookConversion?: boolean
}

/** How the CRDs are to be installed. */
export interface CrdOptions {
  /** Default v1beta2 and v1beta3. */
  readonly served?: readonly Version[]
  /** Default v1beta3. */
  readonly storage?: Version
  /** clientConfig of the conversion webhook. Default: the Service of the reference. */
  readonly conversion?: Readonly<Record<string, unknown>>
}

const column = (name: string, jsonPath: string, type = 'string'): Column => ({ name, type, jsonPath })

function flat(shape: Shape, status?: Schema<unknown>): { properties: Record<string, JsonSchema>; required: string[] } {
  const { properties = {}, required = [] } = object('', shape).json
  return { properties: { ...properties, ...(status === undefined ? {} : { status: status.json }) }, required }
}

function nested(spec: JsonSchema, status?: Schema<unknown>): { properties: Record<string, JsonSchema>; required: string[] } {
  return { properties: { spec, ...(status === undefined ? {} : { status: status.json }) }, required: ['spec'] }
}

const serverColumns = [column('App', '.spec.app'), column('Server', '.spec.server'), column('SubType', '.spec.subType')]

function tserverColumns(version: Version): Column[] {
  const replicas = column('Replicas', '.spec.k8s.replicas', 'integer')
  const ready = column('Ready', '.status.readyReplicas', 'integer')
  if (version !== 'v1beta3') return [...serverColumns, replicas, ready]
  const release = [column('ReleaseImage', '.spec.release.image'), column('NodeImage', '.spec.release.nodeImage'), column('Template', '.spec.tars.template')]
  return [...serverColumns, ...release, replicas, ready]
}

const scale = { specReplicasPath: '.spec.k8s.replicas', statusReplicasPath: '.status.currentReplicas', labelSelectorPath: '.status.selector' }
const tconfigColumns = [
  column('App', '.app'), column('Server', '.server'), column('PodSeq', '.podSeq'), column('ConfigName', '.configName'),
  column('Version', '.version'), column('Activated', '.activated', 'boolean'),
]

const definitions: readonly Definition[] = [
  {
    kind: 'TServer', plural: 'tservers', shortName: 'ts', about: 'A server: what runs, how many, and where.', webhookConversion: true, rules: serverRules,
    properties: (version) => nested(tserverSpecSchema(version), tserverStatus), columns: tserverColumns, subresources: { status: {}, scale },
  },
  {
    kind: 'TEndpoint', plural: 'tendpoints', shortName: 'te', about: 'Pods of a TServer and their states; made by the controller.',
    properties: () => nested(tendpointSpec.json, tendpointStatus), subresources: { status: {} },
  },
  {
    kind: 'TTemplate', plural: 'ttemplates', shortName: 'tt', about: 'A configuration template.',
    properties: () => nested(ttemplateSpec.json), columns: (version) => (version === 'v1beta3' ? [column('Parent', '.spec.parent')] : []),
  },
  { kind: 'TTree', plural: 'ttrees', about: 'Applications and businesses of a framework.', properties: () => flat(ttreeFields), rules: treeRules },
  {
    kind: 'TConfig', plural: 'tconfigs', shortName: 'tc', about: 'A version of a configuration file.',
    properties: () => flat(tconfigFields, tconfigStatus), rules: configRules, columns: () => tconfigColumns, subresources: { status: {} },
  },
  {
    kind: 'TImage', plural: 'timages', shortName: 'ti', about: 'Images of a service or of its base, and their builds.',
    properties: () => flat(timageFields, timageStatus), subresources: { status: {} }, columns: (version) => (version === 'v1beta3' ? [column('type', '.imageType')] : []),
  },
  { kind: 'TExitedRecord', plural: 'texitedrecords', about: 'Pods of a server that ended.', properties: () => flat(texitedrecordFields) },
  {
    kind: 'TFrameworkConfig', plural: 'tframeworkconfigs', shortName: 'tfc', about: 'Settings of a framework.', webhookConversion: true, versions: ['v1beta2', 'v1beta3'],
    properties: (version) => flat(version === 'v1beta2' ? tframeworkconfigV1beta2Fields : tframeworkconfigFields),
  },
  {
    kind: 'TAccount', plural: 'taccounts', shortName: 'ta', about: 'A user of the framework.',
    properties: () => nested(taccountSpec.json), columns: (version) => (version === 'v1beta1' ? [] : [column('Username', '.spec.username')]),
  },
  {
    kind: 'TFrameworkKey', plural: 'tframeworkkey', shortName: 'tfk', about: 'Credentials of a framework towards a service provider.', versions: ['v1beta2', 'v1beta3'],
    properties: () => nested(tframeworkkeySpec.json),
  },
  {
    kind: 'TPlugin', plural: 'tplugins', shortName: 'tp', about: 'A plug-in of the web interface.',
    properties: (version) => nested((version === 'v1beta1' ? tpluginV1beta1Spec : tpluginSpec).json),
  },
]

const defaultConversion = { service: { name: 'tars-webhook-service', namespace: 'tars-system', path: '/conversion', port: 443 } } as const

/** Schema of whole objects of a kind; undefined when there is no such kind or version. */
export function schemaOf(kind: string, version: Version): JsonSchema | undefined {
  const definition = definitions.find((candidate) => candidate.kind === kind)
  return definition === undefined || definition.versions?.includes(version) === false ? undefined : rootSchema(definition, version)
}

/** All CRDs, ready to be applied. */
export function customResourceDefinitions(options: CrdOptions = {}): Record<string, unknown>[] {
  return definitions.map((definition) => customResourceDefinition(definition, options))
}

function customResourceDefinition(definition: Definition, options: CrdOptions): Record<string, unknown> {
  const { kind, plural, shortName } = definition
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, annotations: { 'helm.sh/resource-policy': 'keep' } },
    spec: {
      group,
      scope: 'Namespaced',
      preserveUnknownFields: false,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase(), ...(shortName === undefined ? {} : { shortNames: [shortName] }) },
      conversion: definition.webhookConversion === true
        ? { strategy: 'Webhook', webhook: { clientConfig: options.conversion ?? defaultConversion, conversionReviewVersions: ['v1'] } }
        : { strategy: 'None' },
      versions: (definition.versions ?? versions).map((version) => crdVersion(definition, version, options)),
    },
  }
}

function crdVersion(definition: Definition, version: Version, { served = ['v1beta2', 'v1beta3'], storage = hubVersion }: CrdOptions): Record<string, unknown> {
  const columns = definition.columns?.(version) ?? []
  const stored = definition.versions === undefined || definition.versions.includes(storage) ? storage : hubVersion
  return {
    name: version,
    served: served.includes(version),
    storage: version === stored,
    ...(version === hubVersion ? {} : { deprecated: true, deprecationWarning: `migrate to ${hubVersion}` }),
    schema: { openAPIV3Schema: rootSchema(definition, version) },
    ...(columns.length === 0 ? {} : { additionalPrinterColumns: columns }),
    ...(definition.subresources === undefined ? {} : { subresources: definition.subresources }),
  }
}

/** The schema of a whole object in one version. */
function rootSchema(definition: Definition, version: Version): JsonSchema {
  const { properties, required } = definition.properties(version)
  const text = { type: 'string' } as const
  return {
    type: 'object',
    description: definition.about,
    properties: { apiVersion: text, kind: text, metadata: { type: 'object' }, ...properties },
    ...(required.length === 0 ? {} : { required }),
    ...(definition.rules === undefined ? {} : { 'x-kubernetes-validations': [...definition.rules] }),
  }
}
