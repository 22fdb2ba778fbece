import type { KubeClient } from '#kube/client.ts'
import { isConflict, type KubeError } from '#kube/errors.ts'
import type { AnyObject, KubeObject, Resource } from '#kube/types.ts'

/** Owner of the fields that the seed applies. */
export const fieldManager = 'tarsk8s-seed'

/** Owners that stand for an older chart, not for a person: K8SFramework's made these objects by Helm itself. */
const predecessors = ['helm', 'Helm']

/**
 * Server-side apply that leaves alone what others have changed: a field that somebody else owns keeps its value, every
 * other one becomes that of this version.
 * @returns the fields that were left, e.g. `.spec.content`
 */
export async function applyAround<T extends KubeObject>(client: KubeClient, resource: Resource<T>, object: T, signal?: AbortSignal): Promise<readonly string[]> {
  const apply = (draft: T, force: boolean): Promise<T> => client.apply(resource, draft as never, { fieldManager, force, signal })
  try {
    await apply(object, false)
    return []
  } catch (error) {
    const conflicts = conflictsOf(error)
    if (conflicts === undefined) throw error
    const theirs = [...new Set(conflicts.filter(({ owner }) => !predecessors.includes(owner)).map(({ field }) => field))]
    await apply(theirs.reduce(without, object), true)
    return theirs
  }
}

interface FieldConflict {
  readonly field: string
  readonly owner: string
}

function conflictsOf(error: unknown): readonly FieldConflict[] | undefined {
  if (!isConflict(error)) return undefined
  const found = ((error as KubeError).details.causes ?? []).filter(({ reason }) => reason === 'FieldManagerConflict')
  return found.length === 0 ? undefined : found.map(({ field = '', message = '' }) => ({ field, owner: /"([^"]*)"/.exec(message)?.[1] ?? '' }))
}

/** A copy that lacks the field at a path. None leads into a list: those of our kinds are whole values. */
function without<T extends KubeObject>(object: T, path: string): T {
  const copy = structuredClone(object)
  let parent: AnyObject = copy as AnyObject
  let rest = path.slice(1)
  for (;;) {
    // Names of labels have dots themselves.
    const name = Object.keys(parent).find((key) => rest === key || rest.startsWith(`${key}.`))
    if (name === undefined) return copy
    if (name === rest) {
      delete parent[name]
      return copy
    }
    parent = parent[name] as AnyObject
    rest = rest.slice(name.length + 1)
  }
}
