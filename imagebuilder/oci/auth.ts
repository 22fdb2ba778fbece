import { Failure } from '#base/errors.ts'

/** How to prove who one is to a registry. */
export interface Credential {
  readonly username: string
  readonly password: string
  /** OAuth2 refresh token; used instead of the password where the registry has a token service. */
  readonly identityToken?: string
}

/** Finds the credential for a repository of a registry host, or undefined for anonymous access. */
export type Credentials = (registry: string, repository?: string) => Credential | undefined

export const anonymous: Credentials = () => undefined

interface DockerAuthEntry {
  readonly auth?: string
  readonly username?: string
  readonly password?: string
  readonly identitytoken?: string
}

const hubKeys = new Set(['index.docker.io', 'docker.io', 'registry-1.docker.io'])

/** A key as the beginning of `host/repository/`: hosts may stand as URLs, and with the version of the API. */
function prefixOf(key: string): string {
  const [host = '', ...path] = key.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '').split('/')
  return [hubKeys.has(host) ? 'registry-1.docker.io' : host, ...path, ''].join('/')
}

function refuse(source: string, rule: string): never {
  throw new Failure('REGISTRY_SECRET_INVALID', `${source}: ${rule}`, { remedy: 'create it with "kubectl create secret docker-registry" or "docker login"', context: { source } })
}

function credentialOf(entry: DockerAuthEntry, source: string, key: string): Credential | undefined {
  const identity = entry.identitytoken === undefined || entry.identitytoken === '' ? {} : { identityToken: entry.identitytoken }
  if (entry.username !== undefined && entry.password !== undefined) return { username: entry.username, password: entry.password, ...identity }
  if (entry.auth === undefined || entry.auth === '') return 'identityToken' in identity ? { username: '<token>', password: '', ...identity } : undefined
  const text = Buffer.from(entry.auth, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) refuse(source, `auths["${key}"].auth must be base64 of "user:password"`)
  return { username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, ''), ...identity }
}

/**
 * Credentials from a Docker config JSON (`.dockerconfigjson`: `{"auths": {...}}`) or its legacy form (`.dockercfg`: the
 * inner object alone). Entries may carry `auth`, `username`+`password` or `identitytoken`; keys may name a part of a
 * registry, `host/project`, of which the longest that fits counts, as for the kubelet.
 * @param source names the document in errors; secrets never appear in them
 * @throws REGISTRY_SECRET_INVALID
 */
export function parseDockerConfig(text: string, source: string): Credentials {
  const found = new Map<string, Credential>()
  for (const [key, entry] of Object.entries(authsOf(text, source))) {
    const credential = typeof entry === 'object' && entry !== null ? credentialOf(entry, source, key) : undefined
    if (credential !== undefined) found.set(prefixOf(key), credential)
  }
  const longestFirst = [...found].toSorted(([one], [other]) => other.length - one.length)
  return (registry, repository = '') => longestFirst.find(([prefix]) => `${registry}/${repository}/`.startsWith(prefix))?.[1]
}

function authsOf(text: string, source: string): Record<string, DockerAuthEntry | null> {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return refuse(source, 'is not JSON')
  }
  if (typeof document !== 'object' || document === null) return refuse(source, 'must be a JSON object')
  // Without "auths": the legacy form, unless it is a config with settings only.
  const auths = 'auths' in document ? document.auths : document
  return typeof auths === 'object' && auths !== null ? (auths as Record<string, DockerAuthEntry | null>) : refuse(source, '"auths" must be an object')
}

/** Asks each in turn; the first that knows the registry wins. */
export function firstOf(...sources: readonly Credentials[]): Credentials {
  return (registry, repository) => {
    for (const source of sources) {
      const credential = source(registry, repository)
      if (credential !== undefined) return credential
    }
    return undefined
  }
}
