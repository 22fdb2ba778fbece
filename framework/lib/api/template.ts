import type { TTemplate } from './types.ts'

/** How far a chain of parents could be followed; `names` starts with the template asked for. */
export type TemplateChain =
  | { readonly result: 'complete'; readonly names: readonly string[]; readonly templates: readonly TTemplate[] }
  | { readonly result: 'missing'; readonly names: readonly string[]; readonly missing: string }
  /** The last name repeats an earlier one. */
  | { readonly result: 'cycle'; readonly names: readonly string[] }

/**
 * Follows a template to its root (a template whose parent is itself, or empty). Earlier templates win when texts are joined.
 * Source: framework-services spec 1.7; the cycle guard is ours.
 */
export function resolveChain(name: string, lookup: (name: string) => TTemplate | undefined): TemplateChain {
  const names: string[] = []
  const templates: TTemplate[] = []
  for (let next = name; ; ) {
    if (names.includes(next)) return { result: 'cycle', names: [...names, next] }
    names.push(next)
    const template = lookup(next)
    if (template === undefined) return { result: 'missing', names, missing: next }
    templates.push(template)
    const { parent } = template.spec
    if (parent === next || parent === '') return { result: 'complete', names, templates }
    next = parent
  }
}
