import { metadataMerge } from '../builtin/merge.ts'
import type { MergeNode } from '../definition.ts'
import type { Schema } from './schema.ts'
import { valueSchema } from './schema.ts'

/** Merge rules that a schema's x-kubernetes-list-type, -list-map-keys and -map-type say. */
export function mergeNodeOf(schema: Schema): MergeNode {
  const node = nodeOf(schema)
  return { ...node, fields: { ...node.fields, metadata: metadataMerge } }
}

function nodeOf(schema: Schema): MergeNode {
  const values = valueSchema(schema)
  const list = listOf(schema)
  return {
    ...(schema.properties === undefined ? {} : { fields: Object.fromEntries(Object.entries(schema.properties).map(([field, below]) => [field, nodeOf(below)])) }),
    ...(values === undefined ? {} : { values: nodeOf(values) }),
    ...(schema.items === undefined ? {} : { items: nodeOf(schema.items) }),
    ...(list === undefined ? {} : { list }),
    ...(schema['x-kubernetes-map-type'] === 'atomic' ? { atomic: true } : {}),
  }
}

function listOf(schema: Schema): MergeNode['list'] {
  const kind = schema['x-kubernetes-list-type']
  if (kind === 'set') return 'set'
  return kind === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : undefined
}
