import { hubApiVersion } from './names.ts'
import { tframeworkconfigFields } from './schema/others.ts'
import { object, type JsonSchema } from './schema/builder.ts'
import { tserverSpec } from './schema/tserver.ts'
import type { ObjectMeta, TFrameworkConfig, TServer } from './types.ts'

/**
 * The value with the schema's defaults filled in, as the API server does it (apiextensions.k8s.io/v1, "Defaulting"):
 * from the top down, only where a property is absent.
 */
export function applyDefaults(schema: JsonSchema, value: unknown): unknown {
  if (Array.isArray(value)) return schema.items === undefined ? value : value.map((item) => applyDefaults(schema.items ?? {}, item))
  if (typeof value !== 'object' || value === null) return value
  const result: Record<string, unknown> = { ...value }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const given = result[name] ?? structuredClone(property.default)
    if (given !== undefined) result[name] = applyDefaults(property, given)
  }
  const { additionalProperties } = schema
  if (additionalProperties !== undefined) for (const [name, item] of Object.entries(result)) result[name] = applyDefaults(additionalProperties, item)
  return result
}

/** A type in which everything may be left out. */
export type Sparse<T> = T extends readonly (infer I)[] ? readonly Sparse<I>[] : T extends object ? { readonly [K in keyof T]?: Sparse<T[K]> } : T

/** A TServer in the hub version from the fields that matter; the rest gets its default. Nothing is judged here. */
export function completeServer(metadata: ObjectMeta, spec: Sparse<TServer['spec']>): TServer {
  return { apiVersion: hubApiVersion, kind: 'TServer', metadata, spec: applyDefaults(tserverSpec.json, { k8s: {}, ...spec }) as TServer['spec'] }
}

/** The same for a TFrameworkConfig. */
export function completeFramework(metadata: ObjectMeta, fields: Sparse<Omit<TFrameworkConfig, 'apiVersion' | 'kind' | 'metadata'>>): TFrameworkConfig {
  const complete = applyDefaults(object('', tframeworkconfigFields).json, { imageBuild: {}, ...fields })
  return { apiVersion: hubApiVersion, kind: 'TFrameworkConfig', metadata, ...(complete as Omit<TFrameworkConfig, 'apiVersion' | 'kind' | 'metadata'>) }
}
