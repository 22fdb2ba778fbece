import { names } from '../names.ts'
import type { TFrameworkConfig } from '../types.ts'
import type { Problem } from './problem.ts'

/** The settings of a namespace's framework stay as long as the namespace, like its TTree. The reference lets them go. */
export function validateFrameworkDelete({ metadata }: TFrameworkConfig): Problem[] {
  if (metadata.name !== names.framework) return []
  return [{ field: 'metadata.name', message: 'delete tframeworkconfig operation is defined', rule: `${names.framework} says where images go and how much history is kept, and must stay`, remedy: 'change it, or delete the namespace to remove the whole framework' }]
}
