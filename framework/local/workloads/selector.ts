import type { LabelSelector } from '../pods/kinds.ts'

type Labels = Readonly<Record<string, string>>
interface Requirement { readonly key: string; readonly operator: string; readonly values?: readonly string[] }

/** Whether labels satisfy a requirement of a label selector or a node selector. */
export function satisfies(labels: Labels, { key, operator, values = [] }: Requirement): boolean {
  const value = labels[key]
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return Number(value) > Number(values[0])
    case 'Lt':
      return Number(value) < Number(values[0])
    default:
      return false
  }
}

/** Whether a label selector chooses these labels; an empty one chooses everything. */
export function matches(selector: LabelSelector, labels: Labels = {}): boolean {
  const exact = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value)
  return exact && (selector.matchExpressions ?? []).every((requirement) => satisfies(labels, requirement))
}

/** The selector as the API's labelSelector text. */
export function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const exact = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`)
  const rest = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key
    if (operator === 'DoesNotExist') return `!${key}`
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`
  })
  return [...exact, ...rest].join(',')
}
