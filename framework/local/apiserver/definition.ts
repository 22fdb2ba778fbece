import type { AnyObject } from '#kube/types.ts'
import type { FieldError } from './errors.ts'
import type { NameRule } from './metadata.ts'

/**
 * How objects and lists merge, for strategic merge patches and server-side apply
 * (Kubernetes, "Server-Side Apply", merge strategy). Without a word on it a map merges field by field and a list is replaced whole.
 */
export interface MergeNode {
  readonly fields?: Readonly<Record<string, MergeNode>>
  /** Of a map's values. */
  readonly values?: MergeNode
  readonly items?: MergeNode
  /** `set`: a list of scalars that merges by value; field names: a list of objects told apart by them. */
  readonly list?: 'set' | readonly string[]
  /** A map that is replaced whole. */
  readonly atomic?: boolean
  /** The key that strategic merge patches use, when it is not the first of `list`. */
  readonly patchKey?: string
}

/** A column of kubectl's table. `priority` above 0 shows with `-o wide` only. */
export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: string
  readonly description: string
  readonly priority: number
  readonly value: (object: AnyObject) => unknown
}

export interface ScalePaths {
  readonly spec: readonly string[]
  readonly status: readonly string[]
  readonly selector: readonly string[] | undefined
}

/** What preparing an object found: fields that the schema does not know, as paths, and were dropped. */
export type UnknownFields = readonly string[]

/** One served version of one kind: all that the verbs need to know about it. */
export interface Definition {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly singular: string
  readonly kind: string
  readonly listKind: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly nameRule: NameRule
  /** Version in which objects are kept. */
  readonly storageVersion: string
  readonly custom: boolean
  /** Has a status subresource. */
  readonly status: boolean
  readonly scale: ScalePaths | undefined
  /** metadata.generation counts changes of everything but metadata and status. */
  readonly generation: boolean
  readonly merge: MergeNode
  readonly columns: readonly Column[]
  /** Fields that can be selected by, besides metadata.name and metadata.namespace. */
  readonly selectableFields: readonly string[]
  /** OpenAPI v3 schema, if known. */
  readonly schema: object | undefined
  /** Sent as a Warning header with every answer. */
  readonly warning: string | undefined
  /** Drops unknown fields and sets defaults, in place. */
  prepare(object: AnyObject): UnknownFields
  /**
   * Rules that a new object (`old` undefined) or an update breaks. Metadata is checked elsewhere.
   * @param warn is told what the author of a valid object should know, for Warning headers
   */
  validate(object: AnyObject, old: AnyObject | undefined, warn: (text: string) => void): FieldError[]
  /** The objects, which may be of any served version, in `apiVersion`, in order. */
  convert(objects: readonly AnyObject[], apiVersion: string): Promise<readonly AnyObject[]>
}

export const collectionOf = ({ group, plural }: Pick<Definition, 'group' | 'plural'>): string => `${group}/${plural}`
export const apiVersionOf = ({ group, version }: Pick<Definition, 'group' | 'version'>): string => (group === '' ? version : `${group}/${version}`)
