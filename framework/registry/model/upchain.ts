// Endpoints of objects that live outside this cluster (framework-services 1.6). Pure.
import type { TFrameworkConfig } from '#api/types.ts'
import { endpoint, type ServantView } from './endpoints.ts'

/** Key of the endpoints for every object that has no entry of its own. */
const catchAll = 'default'

/** `TFrameworkConfig.upChain` as endpoint lists by object name. */
export function upchainViews(config: TFrameworkConfig | undefined): ReadonlyMap<string, ServantView> {
  const views = new Map<string, ServantView>()
  for (const [name, targets] of Object.entries(config?.upChain ?? {})) {
    const active = targets.map((target) =>
      endpoint({ port: target.port, isTcp: target.isTcp ?? true, timeout: target.timeout ?? 6000 }, target.host, ''),
    )
    views.set(name, { active, inactive: [] })
  }
  return views
}

/** The entry for an object: its exact name, else the catch-all. */
export function upchainFor<T>(entries: ReadonlyMap<string, T>, id: string): T | undefined {
  return entries.get(id) ?? entries.get(catchAll)
}
