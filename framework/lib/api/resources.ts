import { group, hubVersion, type Version } from './names.ts'
import type { TAccount, TConfig, TEndpoint, TExitedRecord, TFrameworkConfig, TFrameworkKey, TImage, TPlugin, TServer, TTemplate, TTree } from './types.ts'

/**
 * Where a kind lives in the API: enough to build every request path for it. `T` is the object's type.
 * Structurally the same as the API client's own descriptor.
 */
export interface Resource<T> {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** Never set: it exists for type inference. */
  readonly object?: T
}

function tars<T>(kind: string, plural: string): Resource<T> {
  return { group, version: hubVersion, plural, kind, namespaced: true }
}

/** The kinds of the k8s.tars.io group in the hub version (control-plane spec A). */
export const resources = {
  tservers: tars<TServer>('TServer', 'tservers'),
  tendpoints: tars<TEndpoint>('TEndpoint', 'tendpoints'),
  ttemplates: tars<TTemplate>('TTemplate', 'ttemplates'),
  ttrees: tars<TTree>('TTree', 'ttrees'),
  tconfigs: tars<TConfig>('TConfig', 'tconfigs'),
  timages: tars<TImage>('TImage', 'timages'),
  texitedrecords: tars<TExitedRecord>('TExitedRecord', 'texitedrecords'),
  tframeworkconfigs: tars<TFrameworkConfig>('TFrameworkConfig', 'tframeworkconfigs'),
  taccounts: tars<TAccount>('TAccount', 'taccounts'),
  // Its plural is its singular: a slip of the reference that every client of the kind relies on.
  tframeworkkeys: tars<TFrameworkKey>('TFrameworkKey', 'tframeworkkey'),
  tplugins: tars<TPlugin>('TPlugin', 'tplugins'),
} as const

/** The same kind as another version serves it. */
export function inVersion<T>(resource: Resource<T>, version: Version): Resource<unknown> {
  return { group: resource.group, version, plural: resource.plural, kind: resource.kind, namespaced: resource.namespaced }
}
