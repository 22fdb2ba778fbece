import { annotations, labels } from '#api/names.ts'
import { Failure } from '#base/errors.ts'
import type { ObjectMeta } from '#kube/types.ts'

/** Whose a volume's folder is, and what its mode is. */
export interface Owner {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

/** @throws Failure LOCAL_VOLUME_INVALID */
export function ownerOf({ annotations: given = {} }: ObjectMeta): Owner {
  const number = (key: string, fallback: number): number => {
    const text = given[key]
    if (text === undefined) return fallback
    return /^(0|[1-9]\d{0,8})$/.test(text) ? Number(text) : refuse(key, text, 'a number such as 1000')
  }
  // K8SFramework's controller writes the mode under the key of the label.
  const key = given[annotations.localVolumeMode] === undefined ? labels.localVolume : annotations.localVolumeMode
  const mode = given[key] ?? '755'
  if (!/^0?[0-7]{3,4}$/.test(mode)) refuse(key, mode, 'an octal mode such as 755')
  return { uid: number(annotations.localVolumeUid, 0), gid: number(annotations.localVolumeGid, 0), mode: Number.parseInt(mode, 8) }
}

/** The annotations that say it; a volume carries those that its folder was last given. */
export function ownerAnnotations({ uid, gid, mode }: Owner): Record<string, string> {
  return { [annotations.localVolumeUid]: String(uid), [annotations.localVolumeGid]: String(gid), [annotations.localVolumeMode]: mode.toString(8) }
}

export function isSameOwner(one: Owner, other: Owner): boolean {
  return one.uid === other.uid && one.gid === other.gid && one.mode === other.mode
}

function refuse(key: string, text: string, rule: string): never {
  throw new Failure('LOCAL_VOLUME_INVALID', `annotation ${key} is "${text}" and must be ${rule}`, { remedy: 'change spec.k8s.mounts[].source.tLocalVolume of the TServer' })
}
