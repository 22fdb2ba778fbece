import { Failure } from '#base/errors.ts'
import { isDigest } from './digest.ts'

/** Names an image in a registry (grammar: OCI distribution-spec 1.1 "Pulling manifests", with Docker's short forms). */
export interface ImageReference {
  /** `host` or `host:port` as in requests. */
  readonly registry: string
  readonly repository: string
  /** Empty when only a digest was given. */
  readonly tag: string
  readonly digest?: string
}

const repositoryPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/
const hostPattern = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/

const dockerHub = 'registry-1.docker.io'
const dockerHubNames = new Set(['docker.io', 'index.docker.io', dockerHub])

function refuse(text: string, rule: string): never {
  throw new Failure('IMAGE_REFERENCE_INVALID', `"${text}" is not an image reference: ${rule}`, { remedy: 'write <registry host[:port]>/<repository>[:tag] or …@sha256:<digest>, repository in lower case', context: { reference: text } })
}

/** The first part is a host when it has a dot, a port, is `localhost`, or carries upper case (as in Docker). */
function splitHost(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  if (first !== '' && (/[.:A-Z]/.test(first) || first === 'localhost')) return { registry: first, repository: name.slice(slash + 1) }
  return { registry: dockerHub, repository: slash < 0 ? `library/${name}` : name }
}

function checkedHost(name: string, text: string): { registry: string; repository: string } {
  const { registry, repository } = splitHost(name)
  if (!hostPattern.test(registry)) refuse(text, `"${registry}" is not a registry host`)
  if (repository.length > 255 || !repositoryPattern.test(repository)) refuse(text, `"${repository}" is not a repository name`)
  return { registry: dockerHubNames.has(registry) ? dockerHub : registry, repository }
}

/** `name[:tag]`: a colon behind the last slash begins the tag. */
function splitTag(named: string): { name: string; tag: string | undefined } {
  const colon = named.lastIndexOf(':')
  return colon > named.lastIndexOf('/') ? { name: named.slice(0, colon), tag: named.slice(colon + 1) } : { name: named, tag: undefined }
}

/** Parses `[host[:port]/]repository[:tag][@digest]`; the tag is `latest` when neither tag nor digest is given. @throws IMAGE_REFERENCE_INVALID */
export function parseReference(text: string): ImageReference {
  const at = text.indexOf('@')
  const digest = at < 0 ? undefined : text.slice(at + 1)
  const { name, tag } = splitTag(at < 0 ? text : text.slice(0, at))
  const { registry: host, repository } = checkedHost(name, text)
  if (tag !== undefined && !tagPattern.test(tag)) refuse(text, `"${tag}" is not a tag`)
  if (digest === undefined) return { registry: host, repository, tag: tag ?? 'latest' }
  if (!isDigest(digest)) refuse(text, `"${digest}" is not a sha256 digest`)
  return { registry: host, repository, tag: tag ?? '', digest }
}

/** The text form, with its digest when it has one. */
export function formatReference(reference: ImageReference): string {
  const tag = reference.tag === '' ? '' : `:${reference.tag}`
  return `${reference.registry}/${reference.repository}${tag}${reference.digest === undefined ? '' : `@${reference.digest}`}`
}

/** What a manifest is asked for by: its digest when known, else its tag. */
export function manifestName(reference: ImageReference): string {
  return reference.digest ?? reference.tag
}

/** True for a host that only this machine reaches; such registries speak plain HTTP unless told otherwise, as with Docker. */
export function isLoopback(registry: string): boolean {
  const host = registry.replace(/:[0-9]+$/, '')
  return host === 'localhost' || host === '[::1]' || /^127(?:\.[0-9]{1,3}){3}$/.test(host)
}
