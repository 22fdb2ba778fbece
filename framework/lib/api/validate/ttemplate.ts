import type { TTemplate } from '../types.ts'
import { resolveChain } from '../template.ts'
import { invalid, notExist, type Problem } from './problem.ts'

/**
 * Control-plane spec B.4, and no cycles.
 * @param lookup templates of the same namespace, by name, as they are before this change
 */
export function validateTemplate(template: TTemplate, lookup: (name: string) => TTemplate | undefined): Problem[] {
  const { name, namespace = '' } = template.metadata
  const { parent } = template.spec
  if (parent === '') return [invalid('ttemplate', 'spec.parent', 'value of .spec.parent should not be empty', 'every template has a parent; a root names itself', `set it to a template that exists, or to "${name}"`)]
  if (parent.length > 63) return [invalid('ttemplate', 'spec.parent', 'parent name is too long', 'at most 63 characters, as it becomes a label', 'rename the parent')]
  if (parent === name) return []
  if (lookup(parent) === undefined) return [notExist('spec.parent', 'ttemplate', namespace, parent, `create TTemplate ${parent} first, or name one that exists`)]
  const chain = resolveChain(name, (wanted) => (wanted === name ? template : lookup(wanted)))
  if (chain.result !== 'cycle') return []
  return [invalid('ttemplate', 'spec.parent', 'parent makes a cycle', `${chain.names.join(' -> ')} would never reach a root`, 'choose a parent that does not descend from this template')]
}

/** @param users names of TTemplates whose parent this is, and of TServers that use it */
export function validateTemplateDelete(template: TTemplate, users: { readonly templates: readonly string[]; readonly servers: readonly string[] }): Problem[] {
  const { name, namespace = '' } = template.metadata
  const refusal = (kind: string, names: readonly string[], remedy: string): Problem[] =>
    names.length === 0 ? [] : [{ field: 'metadata.name', message: `cannot delete ttemplate ${namespace}/${name}, because it is reference by some ${kind}`, rule: `used by ${kind} ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''}`, remedy }]
  return [
    ...refusal('ttemplate', users.templates.filter((user) => user !== name), 'give them another parent first'),
    ...refusal('tserver', users.servers, 'give them another template first'),
  ]
}
