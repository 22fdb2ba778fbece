import { activeVersion, newestFirst } from '#api/config-group.ts'
import { annotations, fallbackLimits, labels } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TConfig } from '#api/types.ts'
import { isNotFound } from '#kube/errors.ts'
import type { Reconcile } from '#kube/reconciler.ts'
import type { Resource } from '#kube/types.ts'
import { configStatus, wasReplaced } from '../desired/config-status.ts'
import { configGroup, frameworkOf, type ControllerContext } from './context.ts'
import { removeAsKnown } from './remove.ts'
import { nowOf, writeStatus } from './status.ts'

const resource = resources.tconfigs as Resource<TConfig>

/**
 * Versions of one file for one pod (or all): one is in force, a bounded number of older ones is kept, and when the one in force is
 * deleted the older ones go too (control-plane spec B.3, C.9). Key: {@link configGroup}.
 */
export function reconcileConfig(context: ControllerContext): Reconcile {
  const { stores, client } = context
  return async (group, signal) => {
    const members = stores.configGroups.get(group).filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    const doomed = members.filter(({ metadata }) => metadata.labels?.[labels.deleting] !== undefined)
    const rest = members.filter((config) => !doomed.includes(config))
    const active = activeVersion(rest)
    for (const config of rest) if (config.activated && config !== active) await deactivate(context, config, signal)
    const orphaned = active === undefined && (await hasNoActive(context, group, rest)) ? orphans(rest) : []
    const old = rest.filter((config) => config !== active && !orphaned.includes(config)).toSorted(newestFirst)
    const leaving = [...doomed, ...orphaned, ...old.slice(limitOf(context, group))]
    // One that was brought back into force meanwhile is another by now, and stays.
    for (const config of leaving) await removeAsKnown(client, resource, config, signal)
    for (const config of rest) if (!leaving.includes(config)) await writeStatus(context, { resource, store: stores.configs }, config, configStatus(config, active, nowOf(context)), signal)
  }
}

function limitOf({ stores }: ControllerContext, group: string): number {
  return frameworkOf(stores, group.slice(0, group.indexOf('/')))?.recordLimit.tconfigHistory ?? fallbackLimits.tconfigHistory
}

async function deactivate({ client, clock }: ControllerContext, { metadata: { namespace, name, resourceVersion } }: TConfig, signal: AbortSignal): Promise<void> {
  const body = {
    activated: false,
    metadata: {
      resourceVersion,
      labels: { [labels.activated]: 'false', [labels.deactivate]: null },
      annotations: { [annotations.replacedAt]: new Date(clock.now()).toISOString() },
    },
  }
  try {
    await client.patch(resource, { namespace, name }, body, { signal })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** Asked of the API server itself, because deleting on old knowledge could not be undone. */
async function hasNoActive({ client }: ControllerContext, group: string, members: readonly TConfig[]): Promise<boolean> {
  const [first] = members
  if (first === undefined || !members.some(wasReplaced)) return false
  const selector = [[labels.app, first.app], [labels.configName, first.configName], [labels.podSeq, first.podSeq]].map(([label, value]) => `${label}=${value}`).join(',')
  const { items } = await client.list(resource, { namespace: first.metadata.namespace, labelSelector: selector })
  return !items.some((config) => config.activated && configGroup(config) === group)
}

/**
 * With none in force, versions that were replaced show that the one that replaced them was deleted: they go, and so do versions
 * older than them that never were in force. A version that was only just prepared stays.
 */
function orphans(members: readonly TConfig[]): TConfig[] {
  const replaced = members.filter(wasReplaced)
  const newest = replaced.map(({ metadata }) => metadata.creationTimestamp ?? '').toSorted().at(-1) ?? ''
  return members.filter((config) => wasReplaced(config) || (config.metadata.creationTimestamp ?? '') < newest)
}
