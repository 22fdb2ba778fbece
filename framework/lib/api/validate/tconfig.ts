import { configGuardSeconds, labels } from '../names.ts'
import type { TConfig } from '../types.ts'
import { activeVersion, inGroup, sameFile } from '../config-group.ts'
import { immutable, invalid, type Problem } from './problem.ts'

const bad = (field: string, why: string, rule: string, remedy: string): Problem => invalid('tconfig', field, why, rule, remedy)
const isLabelled = (config: TConfig, label: string): boolean => config.metadata.labels?.[label] !== undefined
const isLeaving = (config: TConfig): boolean => isLabelled(config, labels.deactivate) || isLabelled(config, labels.deleting)
/**
 * Control-plane spec B.3, CREATE.
 * @param others TConfigs of the namespace with the same application, server and file name
 */
export function validateConfigCreate(config: TConfig, others: readonly TConfig[]): Problem[] {
  const transient = [labels.deactivate, labels.deleting].filter((label) => isLabelled(config, label))
  const problems = transient.map((label) => bad(`metadata.labels["${label}"]`, `unexpected label ${label}`, 'only the controller sets it', 'remove the label'))
  if (config.server === '' && config.podSeq !== 'm') {
    problems.push(bad('podSeq', 'app level tconfig does not support master/slave', 'must be "m" when server is empty', 'set podSeq to "m", or name the server'))
  } else if (config.podSeq !== 'm' && !hasMaster(config, others)) {
    problems.push(bad('podSeq', 'no activated master tconfig found', `a file for one pod needs an activated file "${config.configName}" with podSeq "m"`, 'create the master first'))
  }
  if (config.server === '' && (config.references?.length ?? 0) > 0) {
    problems.push(bad('references', 'app level tconfig can not have references', 'only files of a server refer to files of its application', 'remove references, or name the server'))
  }
  return problems
}

function hasMaster(config: TConfig, others: readonly TConfig[]): boolean {
  return others.some((other) => sameFile(other, config) && other.podSeq === 'm' && other.activated && !isLeaving(other) && other.metadata.deletionTimestamp === undefined)
}

const sameList = (a: readonly string[] = [], b: readonly string[] = []): boolean => a.length === b.length && a.every((item, index) => item === b[index])

const fixed = ['app', 'server', 'set', 'podSeq', 'configName', 'configContent', 'version', 'updateTime', 'updatePerson', 'updateReason'] as const

/**
 * Control-plane spec B.3, UPDATE. A version leaves force only when a newer activation has replaced it.
 * @param others TConfigs of the namespace with the same application, server and file name
 */
export function validateConfigUpdate(config: TConfig, old: TConfig, others: readonly TConfig[]): Problem[] {
  if (isLabelled(old, labels.deleting)) {
    return [{ field: 'metadata', message: `tconfig ${old.metadata.namespace ?? ''}/${old.metadata.name} is deleting`, rule: 'a version that is being deleted cannot change', remedy: 'create a new version' }]
  }
  const changed = [...fixed.filter((field) => (config[field] ?? '') !== (old[field] ?? '')), ...(sameList(config.references, old.references) ? [] : (['references'] as const))]
  const problems = changed.map((field) => immutable('tconfig', field, 'create a new TConfig with the new content; it replaces this one'))
  if (old.activated && !config.activated && activeVersion([old, ...others.filter((other) => inGroup(other, old))]) === old) problems.push(immutable('tconfig', 'activated', 'activate another version; this one is then replaced'))
  return problems
}

/**
 * Control-plane spec B.3, DELETE by anybody but the controller and Kubernetes itself.
 * @param others TConfigs of the namespace with the same application, server and file name
 * @param now milliseconds since the epoch
 */
export function validateConfigDelete(config: TConfig, others: readonly TConfig[], now: number): Problem[] {
  if (!config.activated) return []
  const age = (now - Date.parse(config.metadata.creationTimestamp ?? '')) / 1000
  if (age < configGuardSeconds) {
    return [{ field: 'metadata.creationTimestamp', message: `tconfig during deletion guard time(${configGuardSeconds}s)`, rule: `an activated version can be deleted ${configGuardSeconds} s after it was created`, remedy: `try again in ${Math.ceil(configGuardSeconds - age)} s` }]
  }
  if (isLeaving(config) || config.podSeq !== 'm') return []
  const slaves = others.filter((other) => sameFile(other, config) && other.podSeq !== 'm' && other.metadata.deletionTimestamp === undefined)
  if (slaves.length === 0) return []
  return [{ field: 'podSeq', message: `cannot delete tconfig ${config.metadata.namespace ?? ''}/${config.metadata.name}, because it is referenced by another tconfig`, rule: `files for single pods exist: ${slaves.slice(0, 5).map(({ metadata }) => metadata.name).join(', ')}`, remedy: 'delete those first' }]
}
