import type { Column } from '../definition.ts'
import { isObject } from '../json.ts'
import { ageOf } from '../table/age.ts'
import { ageColumn, nameColumn } from '../table/builtin-columns.ts'
import { parseJsonPath } from '../table/json-path.ts'

/** `additionalPrinterColumns` of a CRD version. */
export interface PrinterColumn {
  readonly name: string
  readonly type: string
  readonly jsonPath: string
  readonly format?: string
  readonly description?: string
  readonly priority?: number
}

/** Name, and the CRD's columns; without any, name and age. */
export function customColumns(columns: readonly PrinterColumn[] | undefined): readonly Column[] {
  return columns === undefined || columns.length === 0 ? [nameColumn, ageColumn] : [nameColumn, ...columns.map(columnOf)]
}

function columnOf({ name, type, jsonPath, format = '', description = '', priority = 0 }: PrinterColumn): Column {
  const read = parseJsonPath(jsonPath)
  const cell = (object: unknown) => cellOf(type, read?.(object) ?? [])
  return { name, type: type as Column['type'], format, description, priority, value: cell }
}

/** Of several values the first counts; strings show them all. */
function cellOf(type: string, values: readonly unknown[]): unknown {
  const [first] = values
  if (first === undefined || first === null) return type === 'date' ? '<unknown>' : null
  if (type === 'date') return ageOf(first)
  if (type !== 'string') return typeof first === 'object' ? null : first
  if (values.length > 1) return values.map(textOf).join(',')
  return textOf(first)
}

function textOf(value: unknown): string {
  return isObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value)
}
