import { names } from '../names.ts'
import type { TTree } from '../types.ts'
import { invalid, type Problem } from './problem.ts'

const bad = (field: string, why: string, rule: string, remedy: string): Problem => invalid('ttree', field, why, rule, remedy)

/** Rules of control-plane spec B.5. */
export function validateTree(tree: TTree): Problem[] {
  const businesses = tree.businesses.map(({ name }) => name)
  return [
    ...repeated(businesses).map((index) => bad(`businesses[${index}].name`, `duplicate business name : ${businesses[index] ?? ''}`, 'a business is listed once', 'remove or rename one of them')),
    ...repeated(tree.apps.map(({ name }) => name)).map((index) => bad(`apps[${index}].name`, `duplicate app name : ${tree.apps[index]?.name ?? ''}`, 'an application is listed once', 'remove one of them')),
    ...tree.apps.flatMap(({ businessRef }, index) =>
      businessRef === '' || businesses.includes(businessRef) ? [] : [bad(`apps[${index}].businessRef`, `business/${businessRef} not exist`, 'must be empty or name a business of this tree', 'add the business, or clear the reference')]),
  ]
}

/** There is one tree a namespace, made at installation. */
export function validateTreeCreate(tree: TTree, exists: boolean): Problem[] {
  if (tree.metadata.name !== names.tree || exists) {
    const rule = exists ? `the namespace has its TTree ${names.tree}` : `a namespace has one TTree, named ${names.tree}`
    return [{ field: 'metadata.name', message: 'create ttree operation is defined', rule, remedy: exists ? 'change the tree that exists' : `name it ${names.tree}` }]
  }
  return validateTree(tree)
}

/** @param usedApps applications that have a TServer in the namespace */
export function validateTreeUpdate(tree: TTree, old: TTree, usedApps: ReadonlySet<string>): Problem[] {
  const kept = new Set(tree.apps.map(({ name }) => name))
  const lost = old.apps.map(({ name }) => name).filter((name) => !kept.has(name) && usedApps.has(name))
  return [
    ...validateTree(tree),
    ...lost.map((name) => bad('apps', `cannot delete ttree.apps ${name}, because it is still referenced by some tserver`, `TServers of application ${name} exist`, 'delete those TServers first, or keep the application')),
  ]
}

/** The tree of a namespace stays as long as the namespace. */
export function validateTreeDelete(tree: TTree): Problem[] {
  if (tree.metadata.name !== names.tree) return []
  return [{ field: 'metadata.name', message: 'delete ttree operation is defined', rule: `${names.tree} lists the applications of the namespace and must stay`, remedy: 'delete the namespace to remove the whole framework' }]
}

function repeated(values: readonly string[]): number[] {
  return values.flatMap((value, index) => (values.indexOf(value) === index ? [] : [index]))
}
