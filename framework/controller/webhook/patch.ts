import { isDeepStrictEqual } from 'node:util'

interface Operation { readonly op: 'add' | 'remove'; readonly path: string; readonly value?: unknown }

/** RFC 6902 patch from one object to another, field by field of the top level and of metadata. Empty when they are equal. */
export function jsonPatch(from: object, to: object): Operation[] {
  return fieldPatches(from, to, '').flatMap((operation) =>
    operation.path === '/metadata' && operation.op === 'add' ? fieldPatches((from as Fields)['metadata'] as Fields, operation.value as Fields, '/metadata') : [operation])
}

type Fields = Readonly<Record<string, unknown>>

function fieldPatches(from: object, to: object, path: string): Operation[] {
  const [before, after] = [from as Fields, to as Fields]
  const pointer = (name: string): string => `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
  const removed = Object.keys(before).filter((name) => before[name] !== undefined && after[name] === undefined)
  const changed = Object.entries(after).filter(([name, value]) => value !== undefined && !isDeepStrictEqual(before[name], value))
  return [
    ...removed.map((name): Operation => ({ op: 'remove', path: pointer(name) })),
    ...changed.map(([name, value]): Operation => ({ op: 'add', path: pointer(name), value })),
  ]
}
