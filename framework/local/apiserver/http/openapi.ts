import { createHash } from 'node:crypto'
import type { Catalog } from '../catalog.ts'
import { apiVersionOf } from '../definition.ts'
import type { Definition } from '../definition.ts'

// OpenAPI v3 documents: kubectl explain reads the schemas, and kubectl apply looks for `fieldValidation`
// at PATCH, which leaves validation to this server.

const info = { title: 'TarsK8S embedded cluster', version: 'v1.33.4' }

/** GET /openapi/v3: the documents there are. */
export function openapiIndex(catalog: Catalog): object {
  const versions = new Map(catalog.all().map((definition) => [pathOf(definition), definition] as const))
  const entries = [...versions].map(([path, { group, version }]) => {
    const hash = createHash('sha256').update(JSON.stringify(openapiDocument(catalog, group, version))).digest('hex')
    return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }] as const
  })
  return { paths: Object.fromEntries(entries) }
}

const pathOf = (definition: Definition): string => (definition.group === '' ? `api/${definition.version}` : `apis/${apiVersionOf(definition)}`)

/** GET /openapi/v3/api/v1 and /openapi/v3/apis/{group}/{version}; undefined when it is not served. */
export function openapiDocument(catalog: Catalog, group: string, version: string): object | undefined {
  const definitions = catalog.inVersion(group, version)
  if (definitions.length === 0) return undefined
  const paths = Object.fromEntries(definitions.flatMap(pathsOf))
  const schemas = Object.fromEntries(definitions.map((definition) => [schemaName(definition), schemaOf(definition)]))
  return { openapi: '3.0.0', info, paths, components: { schemas } }
}

function schemaName({ group, version, kind }: Definition): string {
  return [...(group === '' ? 'core' : group).split('.').reverse(), version, kind].join('.')
}

function gvkOf({ group, version, kind }: Definition): object {
  return { group, version, kind }
}

const text = (description: string) => ({ type: 'string', description })

function schemaOf(definition: Definition): object {
  const given = definition.schema as { properties?: object } | undefined
  const common = {
    apiVersion: text('Version of the schema of this object.'),
    kind: text('Kind of this object.'),
    metadata: { type: 'object', description: 'Name, namespace, labels, annotations and other facts every object has.' },
  }
  const fallback = { type: 'object', description: `${definition.kind}: see the Kubernetes API reference.`, 'x-kubernetes-preserve-unknown-fields': true }
  return { ...(given ?? fallback), properties: { ...given?.properties, ...common }, 'x-kubernetes-group-version-kind': [gvkOf(definition)] }
}

function pathsOf(definition: Definition): [string, object][] {
  const { namespaced, plural } = definition
  const root = `/${pathOf(definition)}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`
  return [[root, { get: operation(definition, 'list'), post: operation(definition, 'post') }], [`${root}/{name}`, objectOperations(definition)]]
}

function objectOperations(definition: Definition): object {
  return { get: operation(definition, 'get'), put: operation(definition, 'put'), patch: operation(definition, 'patch'), delete: operation(definition, 'delete') }
}

const fieldValidation = { name: 'fieldValidation', in: 'query', description: 'Ignore, Warn or Strict: what to do about unknown fields.', schema: { type: 'string', uniqueItems: true } }
const dryRun = { name: 'dryRun', in: 'query', description: 'All: validate, store nothing.', schema: { type: 'string', uniqueItems: true } }

function operation(definition: Definition, action: string): object {
  const writes = ['post', 'put', 'patch'].includes(action)
  const schema = { $ref: `#/components/schemas/${schemaName(definition)}` }
  return {
    operationId: `${action}${definition.kind}${definition.version}`,
    parameters: [...(writes ? [dryRun, fieldValidation] : []), ...(action === 'delete' ? [dryRun] : [])],
    ...(writes && action !== 'patch' ? { requestBody: { content: { '*/*': { schema } } } } : {}),
    ...(action === 'patch' ? { requestBody: { content: patchContent } } : {}),
    responses: { 200: { description: 'OK', content: { 'application/json': { schema } } } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': gvkOf(definition),
  }
}

/**
 * Strategic merge patches are taken but not announced: kubectl would then compute them from these schemas, which do
 * not carry the merge keys of the built-in kinds; unannounced, it uses the keys it brings along.
 */
const patchContent = Object.fromEntries(['application/apply-patch+yaml', 'application/json-patch+json', 'application/merge-patch+json'].map((type) => [type, { schema: { type: 'object' } }]))
