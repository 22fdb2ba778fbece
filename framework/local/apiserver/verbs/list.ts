import type { AnyObject, List } from '#kube/types.ts'
import type { Api, ApiRequest } from '../api.ts'
import { apiVersionOf, collectionOf } from '../definition.ts'
import type { Definition } from '../definition.ts'
import { badRequest, expired } from '../errors.ts'
import { fieldPredicate, labelPredicate } from '../selectors.ts'
import type { Predicate } from '../selectors.ts'

/** Which objects a request selects, by namespace, name, labels and fields. */
export function selection({ definition, namespace, name, query }: ApiRequest): Predicate {
  const tests: Predicate[] = []
  const labels = query.get('labelSelector') ?? ''
  const fields = query.get('fieldSelector') ?? ''
  if (definition.namespaced && namespace !== '') tests.push((object) => object.metadata.namespace === namespace)
  if (name !== '') tests.push((object) => object.metadata.name === name)
  if (labels !== '') tests.push(labelPredicate(labels))
  if (fields !== '') tests.push(fieldPredicate(fields, ['metadata.name', 'metadata.namespace', ...definition.selectableFields]))
  return (object) => tests.every((test) => test(object))
}

interface Position {
  readonly revision: number
  readonly after: string
}

/** GET of a collection: a page of one consistent revision. */
export async function listObjects(api: Api, request: ApiRequest): Promise<List> {
  const { definition, query } = request
  const limit = Number(query.get('limit') ?? 0)
  if (!Number.isInteger(limit) || limit < 0) throw badRequest(`limit must be a whole number, not ${JSON.stringify(query.get('limit'))}`)
  const from = position(api, query)
  const all = api.store.listAt(collectionOf(definition), from.revision)
  if (all === undefined) throw expired('The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.')
  const selected = all.filter(selection(request))
  const start = from.after === '' ? 0 : selected.findIndex((object) => positionKey(object) > from.after)
  const rest = start < 0 ? [] : selected.slice(start)
  const page = limit === 0 ? rest : rest.slice(0, limit)
  const remaining = rest.length - page.length
  const last = page.at(-1)
  const next = remaining === 0 || last === undefined ? {} : { continue: encode({ revision: from.revision, after: positionKey(last) }), remainingItemCount: remaining }
  return {
    apiVersion: apiVersionOf(definition), kind: definition.listKind,
    metadata: { resourceVersion: String(from.revision), ...next },
    items: [...(await definition.convert(page, apiVersionOf(definition)))],
  }
}

const positionKey = ({ metadata }: AnyObject): string => `${metadata.namespace ?? ''}/${metadata.name}`
const encode = (position: Position): string => Buffer.from(JSON.stringify(position)).toString('base64url')

function position(api: Api, query: URLSearchParams): Position {
  const token = query.get('continue') ?? ''
  if (token === '') return { revision: listRevision(api, query), after: '' }
  try {
    const { revision, after } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as Position
    if (Number.isInteger(revision) && typeof after === 'string') return { revision, after }
  } catch {
    // falls through
  }
  throw badRequest('continue key is not valid')
}

/** `resourceVersionMatch=Exact` asks for an old state; all else gets the latest, which is not older than what was asked for. */
function listRevision(api: Api, query: URLSearchParams): number {
  const asked = Number(query.get('resourceVersion') ?? 0)
  if (!Number.isInteger(asked) || asked < 0) throw badRequest(`Invalid value: ${JSON.stringify(query.get('resourceVersion'))}: resourceVersion must be a whole number`)
  return query.get('resourceVersionMatch') === 'Exact' && asked > 0 ? asked : api.store.revision
}

/** Objects of all served versions come out in the one asked for. */
export function converter(definition: Definition): (object: AnyObject) => Promise<AnyObject> {
  const apiVersion = apiVersionOf(definition)
  return async (object) => (object.apiVersion === apiVersion ? object : ((await definition.convert([object], apiVersion))[0] ?? object))
}
