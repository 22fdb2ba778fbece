import { Failure } from '#base/errors.ts'
import type { Route } from './call.ts'
import type { ServantOptions } from './options.ts'

type Routes = ReadonlyMap<string, Route>

/**
 * What each function of each object name calls.
 * @throws Failure `TARS_SERVANT_INCOMPLETE` when a servant lacks a method of its interface
 */
export function buildRoutes(servants: Readonly<Record<string, ServantOptions>>): ReadonlyMap<string, Routes> {
  return new Map(Object.entries(servants).map(([name, options]) => [name, servantRoutes(name, options)]))
}

function servantRoutes(name: string, options: ServantOptions): Routes {
  return new Map(Object.values(options.interface.functions).map((codec) => {
    const method: unknown = Reflect.get(options.servant, codec.name)
    if (typeof method !== 'function') {
      throw new Failure('TARS_SERVANT_INCOMPLETE', `the servant of ${name} has no method ${codec.name}, which the interface ${options.interface.name} declares`, {
        remedy: `add ${codec.name} to it`,
      })
    }
    return [codec.name, { codec, servant: options.servant, method: method as Route['method'], ready: options.ready?.[codec.name] }]
  }))
}
