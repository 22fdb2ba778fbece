import type { AnyObject, List } from '#kube/types.ts'
import type { Definition } from '../definition.ts'

/** Whether an Accept header prefers a table: kubectl get does. */
export function wantsTable(accept: string): boolean {
  return /application\/json;[^,]*as=Table/.test(accept)
}

/** How much of each object goes into its row. */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

export function includeObject(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject')
  return value === 'None' || value === 'Object' ? value : 'Metadata'
}

/** Objects as a meta.k8s.io/v1 Table. `headless` leaves the columns out, as later events of a watch do. */
export function tableOf(definition: Definition, objects: readonly AnyObject[], include: IncludeObject, metadata: object = {}, headless = false): object {
  return {
    kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata,
    columnDefinitions: headless ? [] : definition.columns.map(({ name, type, format = '', description, priority }) => ({ name, type, format, description, priority })),
    rows: objects.map((object) => ({ cells: definition.columns.map((column) => column.value(object) ?? null), ...rowObject(object, include) })),
  }
}

export function tableOfList(definition: Definition, list: List, include: IncludeObject): object {
  return tableOf(definition, list.items, include, list.metadata)
}

function rowObject(object: AnyObject, include: IncludeObject): object {
  if (include === 'None') return {}
  return { object: include === 'Object' ? object : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata } }
}
