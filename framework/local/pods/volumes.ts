import type { Stats } from 'node:fs'
import { chmod, chown, lstat, mkdir, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { Failure } from '#base/errors.ts'
import { fieldValue, resourceValue } from './downward.ts'
import { expand, missing } from './environment.ts'
import type { PodObjects } from './environment.ts'
import type { Container, DownwardItem, KeyToPath, Pod, Volume, VolumeMount } from './kinds.ts'
import type { PlannedMount } from './namespace/plan.ts'

/** Where volumes live and where their contents come from. */
export interface VolumeContext {
  /** The pod's own folder. */
  readonly podDir: string
  readonly objects: PodObjects
  /** The folder of a claim of the pod's namespace, or undefined while it is not bound. */
  claimFolder(claim: string): Promise<string | undefined>
  /** The content of an image as a folder that nobody may write to. */
  imageFolder(volume: string, image: NonNullable<Volume['image']>): Promise<string>
}

/** Where a volume is on the host. */
export interface VolumeFolder {
  readonly path: string
  /** It is an image, which pods share: nothing is written there, and nothing is made. */
  readonly isImage: boolean
}

/** undefined when there is nothing to mount. */
export type VolumeFolders = ReadonlyMap<string, VolumeFolder | undefined>

const defaultFileMode = 0o644

/**
 * Makes a pod's volumes. Contents of ConfigMap, Secret and downward API volumes are written anew at each call.
 * @throws CONTAINER_CONFIG naming the volume and what it lacks
 */
export async function prepareVolumes(pod: Pod, context: VolumeContext): Promise<VolumeFolders> {
  const folders = new Map<string, VolumeFolder | undefined>()
  for (const volume of pod.spec.volumes ?? []) {
    const { name, image } = volume
    const path = image === undefined ? await prepareVolume(pod, volume, context) : await context.imageFolder(name, image)
    folders.set(name, path === undefined ? undefined : { path, isImage: image !== undefined })
  }
  return folders
}

async function prepareVolume(pod: Pod, volume: Volume, context: VolumeContext): Promise<string | undefined> {
  const own = join(context.podDir, 'volumes', safeName(volume.name))
  if (volume.hostPath !== undefined) return hostPath(volume.name, volume.hostPath.path, volume.hostPath.type ?? '')
  if (volume.persistentVolumeClaim !== undefined) {
    const { claimName } = volume.persistentVolumeClaim
    const folder = await context.claimFolder(claimName)
    if (folder === undefined) throw missing(`PersistentVolumeClaim ${claimName} is not bound`)
    return folder
  }
  if (volume.configMap !== undefined || volume.secret !== undefined || volume.downwardAPI !== undefined) {
    const files = await contents(pod, volume, context.objects)
    await rm(own, { recursive: true, force: true })
    await mkdir(own, { recursive: true, mode: 0o755 })
    for (const file of files) await writeContent(own, file)
    return own
  }
  if (volume.emptyDir === undefined) throw missing(`volume ${volume.name} is of a kind that is not supported here; use emptyDir, hostPath, configMap, secret, downwardAPI, persistentVolumeClaim or image`)
  await mkdir(own, { recursive: true })
  await chmod(own, 0o777)
  if (pod.spec.securityContext?.fsGroup !== undefined && process.getuid?.() === 0) await chown(own, 0, pod.spec.securityContext.fsGroup)
  return own
}

interface ContentFile { readonly path: string; readonly bytes: Buffer; readonly mode: number }

async function contents(pod: Pod, { name, configMap, secret, downwardAPI }: Volume, objects: PodObjects): Promise<ContentFile[]> {
  if (configMap !== undefined) {
    const found = required(await objects.configMap(configMap.name ?? ''), configMap.optional, `ConfigMap ${configMap.name ?? ''} of volume ${name}`)
    return select(new Map([...decoded(found?.data, 'utf8'), ...decoded(found?.binaryData, 'base64')]), configMap, name)
  }
  if (secret !== undefined) {
    const found = required(await objects.secret(secret.secretName ?? ''), secret.optional, `Secret ${secret.secretName ?? ''} of volume ${name}`)
    return select(decoded(found?.data, 'base64'), secret, name)
  }
  return (downwardAPI?.items ?? []).map((item) => ({ path: item.path, bytes: Buffer.from(downwardText(pod, item)), mode: item.mode ?? downwardAPI?.defaultMode ?? defaultFileMode }))
}

function required<T>(found: T | undefined, optional: boolean | undefined, what: string): T | undefined {
  if (found === undefined && optional !== true) throw missing(`${what} is not there`)
  return found
}

function decoded(data: Readonly<Record<string, string>> | undefined, encoding: 'utf8' | 'base64'): Map<string, Buffer> {
  return new Map(Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text, encoding)]))
}

function downwardText(pod: Pod, { fieldRef, resourceFieldRef }: DownwardItem): string {
  if (fieldRef !== undefined) return fieldValue(pod, fieldRef.fieldPath)
  const [container] = pod.spec.containers
  return resourceFieldRef === undefined || container === undefined ? '' : resourceValue(pod, container, resourceFieldRef)
}

interface Choice { readonly items?: readonly KeyToPath[]; readonly defaultMode?: number; readonly optional?: boolean }

function select(data: ReadonlyMap<string, Buffer>, { items, defaultMode = defaultFileMode, optional = false }: Choice, volume: string): ContentFile[] {
  if (items === undefined) return [...data].map(([path, bytes]) => ({ path, bytes, mode: defaultMode }))
  return items.flatMap(({ key, path, mode }) => {
    const bytes = data.get(key)
    if (bytes === undefined && !optional) throw missing(`volume ${volume} wants the key "${key}", which is not there`)
    return bytes === undefined ? [] : [{ path, bytes, mode: mode ?? defaultMode }]
  })
}

async function writeContent(folder: string, { path, bytes, mode }: ContentFile): Promise<void> {
  const file = join(folder, inside(path, 'volume item path'))
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, bytes, { mode: 0o600 })
  await chmod(file, mode)
}

type TypeTest = (stats: Stats) => boolean
const typeTests: Readonly<Record<string, TypeTest>> = {
  Directory: (stats) => stats.isDirectory(), DirectoryOrCreate: (stats) => stats.isDirectory(),
  File: (stats) => stats.isFile(), FileOrCreate: (stats) => stats.isFile(),
  Socket: (stats) => stats.isSocket(), CharDevice: (stats) => stats.isCharacterDevice(), BlockDevice: (stats) => stats.isBlockDevice(),
}

/** A host path by its type. One of no type that does not exist is not mounted: nothing is made on the host unasked. */
async function hostPath(volume: string, path: string, type: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found !== undefined) {
    const test = typeTests[type]
    if (test !== undefined && !test(found)) throw missing(`hostPath ${path} of volume ${volume} is not of type ${type}`)
    return path
  }
  if (type === '') return undefined
  if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true, mode: 0o755 })
  else if (type === 'FileOrCreate') await writeFile(path, '', { flag: 'a', mode: 0o644 })
  else throw missing(`hostPath ${path} of volume ${volume} does not exist`)
  return path
}

/**
 * A container's volume mounts. Sub-paths must stay inside the volume, links included; those of images must be there, others are made.
 * @throws CONTAINER_CONFIG
 */
export async function volumeMounts(container: Container, volumes: VolumeFolders, env: Readonly<Record<string, string>>): Promise<PlannedMount[]> {
  const mounts: PlannedMount[] = []
  // outer mount points first, so that none hides another (as container runtimes sort them)
  for (const mount of [...(container.volumeMounts ?? [])].toSorted((a, b) => a.mountPath.split('/').length - b.mountPath.split('/').length)) {
    if (!volumes.has(mount.name)) throw missing(`volumeMount ${mount.mountPath} names the volume "${mount.name}", which the pod does not have`)
    const volume = volumes.get(mount.name)
    if (volume === undefined) continue
    mounts.push({ kind: 'bind', source: await subPath(volume, mount, env), target: mount.mountPath, readOnly: volume.isImage || mount.readOnly === true, recursive: true })
  }
  return mounts
}

async function subPath({ path: volume, isImage }: VolumeFolder, mount: VolumeMount, env: Readonly<Record<string, string>>): Promise<string> {
  const text = mount.subPathExpr === undefined ? (mount.subPath ?? '') : expand(mount.subPathExpr, env)
  if (text === '') return volume
  if (mount.subPathExpr !== undefined && /\$\(/.test(text)) throw missing(`subPathExpr "${mount.subPathExpr}" names a variable that the container does not have`)
  const path = join(volume, inside(text, 'subPath'))
  const isThere = (await lstat(path).catch(() => undefined)) !== undefined
  if (isImage && !isThere) throw missing(`subPath ${text} is not in the image of volume ${mount.name}`)
  if (!isThere) await mkdir(path, { recursive: true, mode: 0o755 })
  const [real, root] = await Promise.all([realpath(path), realpath(volume)])
  if (real !== root && !real.startsWith(`${root}/`)) throw missing(`subPath ${text} leads out of the volume ${mount.name}`)
  return real
}

function inside(path: string, what: string): string {
  const clean = normalize(path)
  if (path.startsWith('/') || clean === '..' || clean.startsWith('../')) throw new Failure('CONTAINER_CONFIG', `${what} "${path}" leads out of the volume`, { remedy: 'use a relative path without ".."' })
  return clean
}

function safeName(name: string): string {
  return inside(name, 'volume name').replaceAll('/', '_')
}
