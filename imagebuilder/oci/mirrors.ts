import { Failure } from '#base/errors.ts'
import { parseReference } from './reference.ts'
import type { RegistryAccess } from './session.ts'

/**
 * Mirrors of registries: `REGISTRY=MIRROR`, several of one in the order they are asked in. `docker.io` is Docker Hub.
 * @throws MIRROR_INVALID
 */
export function parseMirrors(pairs: readonly string[]): NonNullable<RegistryAccess['mirrors']> {
  const mirrors = new Map<string, string[]>()
  for (const pair of pairs) {
    const [registry, mirror, surplus] = pair.split('=').map((host) => hostOf(host.trim()))
    if (registry === undefined || mirror === undefined || surplus !== undefined) throw new Failure('MIRROR_INVALID', `"${pair}" is not a registry and its mirror`, { remedy: 'write REGISTRY=MIRROR, each as host or host:port' })
    mirrors.set(registry, [...(mirrors.get(registry) ?? []), mirror])
  }
  return (registry) => mirrors.get(registry) ?? []
}

/** As it stands in requests; undefined for what is no host. */
function hostOf(text: string): string | undefined {
  try {
    return text === '' ? undefined : parseReference(`${text.includes('.') || text.includes(':') ? text : `${text}:443`}/x`).registry
  } catch {
    return undefined
  }
}
