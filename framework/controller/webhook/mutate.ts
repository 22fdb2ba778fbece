import { isDeepStrictEqual } from 'node:util'
import { hashSync } from 'bcryptjs'
import { inGroup } from '#api/config-group.ts'
import { labels, names } from '#api/names.ts'
import { mutateAccount } from '#api/mutate/taccount.ts'
import { mutateConfig } from '#api/mutate/tconfig.ts'
import { mutateImage, mutateTemplate, mutateTree } from '#api/mutate/others.ts'
import { findAutoRelease, imageServerNames, mutateServer, wantsAutoRelease } from '#api/mutate/tserver.ts'
import { resources } from '#api/resources.ts'
import type { ApiObject, TAccount, TConfig, TImage, TServer, TServerRelease, TTemplate, TTree } from '#api/types.ts'
import type { Resource } from '#kube/types.ts'
import { relatives } from './relatives.ts'
import type { Case } from './types.ts'

type Mutate = (subject: Case<never>) => ApiObject | Promise<ApiObject>

/** What a new or changed object becomes before it is judged, by resource (control-plane spec B.1 to B.7). */
export const mutators: Readonly<Record<string, Mutate>> = {
  tservers,
  tconfigs,
  ttemplates: ({ object }: Case<TTemplate>) => mutateTemplate(object),
  ttrees: ({ object }: Case<TTree>) => mutateTree(object),
  taccounts: ({ object, old }: Case<TAccount>) => mutateAccount(object, hashPassword, old),
  timages: ({ object, now }: Case<TImage>) => mutateImage(object, now.toISOString()),
}

/** Cost as in the reference (control-plane spec B.6). */
const hashPassword = (text: string): string => hashSync(text, 6)

async function tservers({ object, old, namespace, readers, now }: Case<TServer>): Promise<TServer> {
  const framework = await readers.get(resources.tframeworkconfigs, namespace, names.framework)
  const autoRelease = wantsAutoRelease(object) ? await defaultRelease(object, namespace, readers) : undefined
  return mutateServer(object, { now: now.toISOString(), nodeImage: framework?.nodeImage, autoRelease, previous: old })
}

async function tconfigs(subject: Case<TConfig>): Promise<TConfig> {
  const { object, old, now } = subject
  const mayActivate = object.activated && (old?.activated !== true || isSame(object, old))
  const group = mayActivate ? (await relatives(subject)).filter((other) => inGroup(other, object)) : []
  return mutateConfig(object, now, old, group)
}

/** A change that changes nothing asks for what is there. */
function isSame(object: TConfig, old: TConfig): boolean {
  const stated = (config: TConfig): object => ({ ...config, metadata: { ...config.metadata, managedFields: undefined } })
  return isDeepStrictEqual(stated(object), stated(old))
}

async function defaultRelease({ spec }: TServer, namespace: string, readers: Case<TServer>['readers']): Promise<TServerRelease | undefined> {
  const images = await Promise.all(imageServerNames(spec).map((server) => readers.list(resources.timages as Resource<TImage>, namespace, `${labels.app}=${spec.app},${labels.server}=${server}`)))
  return findAutoRelease(images.flat())
}
