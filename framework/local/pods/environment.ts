import { Failure } from '#base/errors.ts'
import { fieldValue, resourceValue } from './downward.ts'
import type { ConfigMap, Container, EnvFrom, EnvVar, Pod, Secret } from './kinds.ts'

/** Looks objects of the pod's namespace up; undefined when they are not there. */
export interface PodObjects {
  configMap(name: string): Promise<ConfigMap | undefined>
  secret(name: string): Promise<Secret | undefined>
}

/**
 * A container's environment as Kubernetes defines it: image, then envFrom, then env in order, `$(NAME)` expanded from what
 * came before (Kubernetes API reference, EnvVar).
 * @throws CONTAINER_CONFIG naming the object and key that are missing
 */
export async function containerEnvironment(pod: Pod, container: Container, imageEnv: readonly string[], objects: PodObjects): Promise<Record<string, string>> {
  const env: Record<string, string> = {}
  for (const entry of imageEnv) {
    const at = entry.indexOf('=')
    if (at > 0) env[entry.slice(0, at)] = entry.slice(at + 1)
  }
  for (const source of container.envFrom ?? []) Object.assign(env, await fromSource(source, objects))
  const declared: Record<string, string> = {}
  for (const variable of container.env ?? []) {
    const value = await valueOf(variable, pod, container, objects, { ...env, ...declared })
    if (value !== undefined) declared[variable.name] = value
  }
  return { ...env, ...declared }
}

/** Replaces `$(NAME)`; `$$(NAME)` stands for the text `$(NAME)`, an unknown name is left as it is. */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\$|\$\(([^()]*)\)/g, (whole, name: string | undefined) => {
    if (whole === '$$') return '$'
    return (name !== undefined && Object.hasOwn(env, name) ? env[name] : undefined) ?? whole
  })
}

async function fromSource(source: EnvFrom, objects: PodObjects): Promise<Record<string, string>> {
  const { configMapRef, secretRef, prefix = '' } = source
  const values: Record<string, string> = {}
  if (configMapRef !== undefined) {
    const map = await found(objects.configMap(configMapRef.name ?? ''), `ConfigMap ${configMapRef.name ?? ''}`, configMapRef.optional)
    for (const [key, value] of Object.entries(map?.data ?? {})) values[prefix + key] = value
  }
  if (secretRef !== undefined) {
    const secret = await found(objects.secret(secretRef.name ?? ''), `Secret ${secretRef.name ?? ''}`, secretRef.optional)
    for (const [key, value] of Object.entries(secret?.data ?? {})) values[prefix + key] = Buffer.from(value, 'base64').toString('utf8')
  }
  return values
}

async function valueOf(variable: EnvVar, pod: Pod, container: Container, objects: PodObjects, known: Readonly<Record<string, string>>): Promise<string | undefined> {
  const { valueFrom } = variable
  if (valueFrom === undefined) return expand(variable.value ?? '', known)
  if (valueFrom.fieldRef !== undefined) return fieldValue(pod, valueFrom.fieldRef.fieldPath)
  if (valueFrom.resourceFieldRef !== undefined) return resourceValue(pod, container, valueFrom.resourceFieldRef)
  const reference = valueFrom.configMapKeyRef ?? valueFrom.secretKeyRef
  if (reference === undefined) return ''
  const { name = '', key, optional } = reference
  const isSecret = valueFrom.configMapKeyRef === undefined
  const what = `${isSecret ? 'Secret' : 'ConfigMap'} ${name}`
  const data = (await found<ConfigMap | Secret>(isSecret ? objects.secret(name) : objects.configMap(name), what, optional))?.data
  const value = data?.[key]
  if (value === undefined && optional !== true) throw missing(`${what} has no key "${key}"`)
  return value === undefined || !isSecret ? value : Buffer.from(value, 'base64').toString('utf8')
}

async function found<T>(object: Promise<T | undefined>, what: string, optional: boolean | undefined): Promise<T | undefined> {
  const value = await object
  if (value === undefined && optional !== true) throw missing(`${what} is not there`)
  return value
}

/** What a container needs and does not find: shown as CreateContainerConfigError, tried again. */
export function missing(message: string): Failure {
  return new Failure('CONTAINER_CONFIG', message, { remedy: 'create it, or mark the reference as optional', temporary: true })
}
