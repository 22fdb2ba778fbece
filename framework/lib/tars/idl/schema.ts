// What a .tars file says, as plain data: it can be parsed at run time or written into generated code as a literal.

export const scalars = [
  'bool', 'byte', 'short', 'int', 'long', 'ubyte', 'ushort', 'uint', 'float', 'double', 'string', 'bytes',
] as const

/** `ubyte`, `ushort`, `uint` are the unsigned ones, which travel one size up; `bytes` is `vector<byte>`. */
export type Scalar = (typeof scalars)[number]

/**
 * A type. `limit` is the size of an array field (`int a[4]`): a vector that never holds more.
 * `struct` and `enum` hold the full name, `module::Name`.
 */
export type Type =
  | Scalar
  | { readonly bytes: number }
  | { readonly vector: Type; readonly limit?: number }
  | { readonly map: readonly [key: Type, value: Type] }
  | { readonly struct: string }
  | { readonly enum: string }

export type Constant = boolean | number | bigint | string

export interface FieldDef {
  readonly tag: number
  readonly name: string
  readonly required: boolean
  readonly type: Type
  /** Only when the file gives one. */
  readonly default?: Constant
  readonly doc?: string
}

export interface StructDef {
  /** In ascending tag order. */
  readonly fields: readonly FieldDef[]
  /** Field names of `key[Struct, a, b]`: what makes two values the same map key. */
  readonly key?: readonly string[]
  readonly doc?: string
}

export interface EnumDef {
  readonly members: Readonly<Record<string, number>>
  readonly doc?: string
}

export interface ConstDef {
  readonly type: Type
  readonly value: Constant
  readonly doc?: string
}

export interface ParamDef {
  readonly name: string
  /** 1-based position; the return value has tag 0. */
  readonly tag: number
  readonly out: boolean
  readonly routeKey?: boolean
  readonly type: Type
}

export interface FunctionDef {
  readonly params: readonly ParamDef[]
  /** null for void. */
  readonly result: Type | null
  readonly doc?: string
}

export interface InterfaceDef {
  readonly functions: Readonly<Record<string, FunctionDef>>
  readonly doc?: string
}

/** Everything that one .tars file and its includes define, by full name `module::Name`. */
export interface Schema {
  readonly structs: Readonly<Record<string, StructDef>>
  readonly enums: Readonly<Record<string, EnumDef>>
  readonly constants: Readonly<Record<string, ConstDef>>
  readonly interfaces: Readonly<Record<string, InterfaceDef>>
}

/** The part of a full name after its module. */
export function shortName(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf(':') + 1)
}

/** The value of a type when nothing gives one: false, 0, '', empty, the first member of an enum. */
export function zeroOf(type: Scalar): boolean | number | bigint | string {
  if (type === 'bool') return false
  if (type === 'long') return 0n
  return type === 'string' ? '' : 0
}
