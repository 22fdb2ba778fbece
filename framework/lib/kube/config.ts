import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { Failure } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'

/** How to reach an API server. */
export interface KubeConfig {
  /** `http(s)://host:port[/prefix]` */
  readonly server: string
  readonly token?: string | undefined
  /** Re-read now and then, because kubelet rotates it. Wins over `token`. */
  readonly tokenFile?: string | undefined
  /** PEM texts. */
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly insecureSkipTlsVerify?: boolean | undefined
  readonly tlsServerName?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** Act as this user instead of the one who logs in (Kubernetes "User impersonation"). */
  readonly impersonate?: string | undefined
  /** Namespace of the context or of the pod. */
  readonly namespace?: string | undefined
}

const serviceAccountDir = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * The configuration that the environment names: the file in `KUBECONFIG`, else the pod's service account.
 * @throws Failure KUBE_CONFIG_MISSING, KUBE_CONFIG_INVALID
 */
export function configFromEnv(env: Environment): KubeConfig {
  const listed = (env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '')
  const file = listed.find((path) => existsSync(path))
  if (file !== undefined) return readKubeconfig(file)
  if (listed.length > 0) throw missing(`no file at ${listed.join(', ')} (KUBECONFIG)`)
  return inCluster(env)
}

function inCluster(env: Environment): KubeConfig {
  const host = env['KUBERNETES_SERVICE_HOST']
  const tokenFile = `${serviceAccountDir}/token`
  if (host === undefined || !existsSync(tokenFile)) throw missing('this is no pod with a service account, and KUBECONFIG is not set')
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] ?? '443'}`,
    tokenFile,
    ca: optionalFile(`${serviceAccountDir}/ca.crt`),
    namespace: optionalFile(`${serviceAccountDir}/namespace`)?.trim(),
  }
}

function missing(why: string): Failure {
  return new Failure('KUBE_CONFIG_MISSING', `there is no way to the Kubernetes API: ${why}`, { remedy: 'set KUBECONFIG to a kubeconfig file' })
}

function optionalFile(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

/** Reads a kubeconfig file; relative paths in it start at its folder. */
export function readKubeconfig(path: string): KubeConfig {
  return parseKubeconfig(readFileSync(path, 'utf8'), { origin: path, folder: dirname(resolve(path)) })
}

type Fields = Readonly<Record<string, unknown>>
interface Origin {
  /** What to call the text in errors. */
  readonly origin?: string
  readonly folder?: string
}

/** Takes the current context of a kubeconfig text (Kubernetes "Kubeconfig (v1)"). */
export function parseKubeconfig(text: string, { origin = 'kubeconfig', folder = '.' }: Origin = {}): KubeConfig {
  const root = parseYaml(text, origin)
  const context = entry(root, 'contexts', 'context', textOf(root, 'current-context'), origin)
  const cluster = entry(root, 'clusters', 'cluster', textOf(context, 'cluster'), origin)
  const userName = textOf(context, 'user')
  const user = userName === undefined ? {} : entry(root, 'users', 'user', userName, origin)
  for (const plugin of ['exec', 'auth-provider']) {
    if (user[plugin] !== undefined) throw invalid(origin, `users[${userName}].user.${plugin} is not supported`, 'use a token or a client certificate')
  }
  const server = textOf(cluster, 'server')
  if (server === undefined || !URL.canParse(server)) throw invalid(origin, `clusters[].cluster.server must be a URL, not ${JSON.stringify(server)}`, 'set it')
  const pem = (from: Fields, field: string) => inlineOrFile(from, field, folder)
  const tokenFile = textOf(user, 'tokenFile')
  return {
    server,
    token: textOf(user, 'token'),
    tokenFile: tokenFile === undefined ? undefined : resolve(folder, tokenFile),
    ca: pem(cluster, 'certificate-authority'),
    cert: pem(user, 'client-certificate'),
    key: pem(user, 'client-key'),
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'] === true,
    tlsServerName: textOf(cluster, 'tls-server-name'),
    username: textOf(user, 'username'),
    password: textOf(user, 'password'),
    impersonate: textOf(user, 'as'),
    namespace: textOf(context, 'namespace'),
  }
}

function parseYaml(text: string, origin: string): Fields {
  try {
    const value: unknown = parse(text)
    if (typeof value === 'object' && value !== null) return value as Fields
  } catch (cause) {
    throw new Failure('KUBE_CONFIG_INVALID', `${origin} is not YAML`, { cause, remedy: 'correct the file' })
  }
  throw invalid(origin, 'it is empty', 'write a kubeconfig into it')
}

function invalid(origin: string, rule: string, remedy: string): Failure {
  return new Failure('KUBE_CONFIG_INVALID', `${origin}: ${rule}`, { remedy })
}

function entry(root: Fields, list: string, field: string, name: string | undefined, origin: string): Fields {
  const items = Array.isArray(root[list]) ? (root[list] as Fields[]) : []
  const found = items.find((item) => item['name'] === name)?.[field]
  if (typeof found === 'object' && found !== null) return found as Fields
  throw invalid(origin, `${list} has no entry named ${JSON.stringify(name ?? '')}`, `add it, or change current-context`)
}

function textOf(from: Fields, field: string): string | undefined {
  const value = from[field]
  return typeof value === 'string' && value !== '' ? value : undefined
}

function inlineOrFile(from: Fields, field: string, folder: string): string | undefined {
  const data = textOf(from, `${field}-data`)
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
  const path = textOf(from, field)
  return path === undefined ? undefined : readFileSync(resolve(folder, path), 'utf8')
}
