// Where objects are that live outside this cluster (framework-services 1.6). Pure.
import type { TFrameworkConfig } from '#api/types.ts'
import { endpoint } from './endpoints.ts'
import type { ObjectAnswers } from './object-answers.ts'
import type { Entry } from './views.ts'

/** Key of what counts for every object that has no entry of its own. */
const catchAll = 'default'

/** `TFrameworkConfig.upChain` as endpoints by its keys. */
export function upchainViews(config: TFrameworkConfig | undefined): ReadonlyMap<string, Entry[]> {
  return new Map(Object.entries(config?.upChain ?? {}).map(([name, targets]) => {
    const entries = targets.map(({ host, port, isTcp, timeout }) => ({ endpoint: endpoint({ port, isTcp, timeout }, host, ''), active: true }))
    return [name, entries] as const
  }))
}

/** By object name, App.Server, App or the catch-all: endpoints, or the locator of a registry to ask. */
export interface Outside<Answer> {
  readonly fixed: ReadonlyMap<string, ObjectAnswers<Answer>>
  readonly registries: ReadonlyMap<string, string>
}

/** What the nearest key says; of endpoints and a registry under the same key the endpoints count. */
export function outsideOf<Answer>({ fixed, registries }: Outside<Answer>, id: string): ObjectAnswers<Answer> | string | undefined {
  const [app = '', server = ''] = id.split('.', 2)
  for (const key of [id, `${app}.${server}`, app, catchAll]) {
    const found = fixed.get(key) ?? registries.get(key)
    if (found !== undefined) return found
  }
  return undefined
}
