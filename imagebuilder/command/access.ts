import type { KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Failure } from '#base/errors.ts'
import { anonymous, parseDockerConfig } from '../oci/auth.ts'
import { parseMirrors } from '../oci/mirrors.ts'
import type { RegistryAccess } from '../oci/session.ts'
import { readSigningKey } from '../signing/key.ts'
import { readSupervisors, type SupervisorLayer } from '../supervisor.ts'
import type { CommandIo } from '#base/command-io.ts'

export interface AccessFlags {
  /** Docker config JSON; default `$DOCKER_CONFIG/config.json` or `~/.docker/config.json` where there is one. */
  readonly 'registry-config'?: string | undefined
  readonly insecure?: readonly string[] | undefined
  readonly ca?: string | undefined
  readonly mirror?: readonly string[] | undefined
}

/** Credentials as `docker login` left them, and trust from the flags. */
export async function registryAccess(flags: AccessFlags, io: CommandIo): Promise<RegistryAccess> {
  const own = join(io.env['DOCKER_CONFIG'] ?? join(io.env['HOME'] ?? '/', '.docker'), 'config.json')
  const path = flags['registry-config'] === undefined ? (existsSync(own) ? own : undefined) : resolve(io.cwd, flags['registry-config'])
  const credentials = path === undefined ? anonymous : parseDockerConfig(await read(path, '--registry-config'), path)
  const ca = flags.ca === undefined ? {} : { ca: await read(resolve(io.cwd, flags.ca), '--ca') }
  const insecure = new Set((flags.insecure ?? []).flatMap((list) => list.split(',')))
  return { credentials, trust: (registry) => (insecure.has(registry) ? { plainHttp: true } : ca), mirrors: parseMirrors(flags.mirror ?? []) }
}

async function read(path: string, flag: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => Promise.reject(new Failure('FILE_UNREADABLE', `${flag}: ${path} cannot be read`, { cause, remedy: 'check the path' })))
}

/** The key of --sign-key; cosign's own is opened by COSIGN_PASSWORD. @throws SIGNING_KEY_INVALID */
export async function signingKeyFor(flag: string | undefined, io: CommandIo): Promise<{ signingKey?: KeyObject }> {
  if (flag === undefined) return {}
  return { signingKey: await readSigningKey(await read(resolve(io.cwd, flag), '--sign-key'), io.env['COSIGN_PASSWORD'] ?? '') }
}

/** The supervisor's layers: by the flag, by TARSIMAGE_SUPERVISOR, or the newest that "tarsk8s up" made in the data folder. */
export async function supervisorsFor(flag: string | undefined, io: CommandIo): Promise<readonly SupervisorLayer[]> {
  const given = flag ?? io.env['TARSIMAGE_SUPERVISOR']
  if (given !== undefined && given !== '') return readSupervisors(resolve(io.cwd, given))
  const cache = resolve(io.cwd, io.env['TARSK8S_DATA'] ?? '.tarsk8s', 'cache')
  const names = (await readdir(cache).catch(() => [])).filter((name) => /^supervisor-.*\.json$/.test(name))
  const dated = await Promise.all(names.map(async (name) => ({ path: join(cache, name), time: (await stat(join(cache, name))).mtimeMs })))
  const newest = dated.sort((a, b) => b.time - a.time)[0]
  if (newest === undefined) throw new Failure('SUPERVISOR_MISSING', `no supervisor layer: neither --supervisor nor TARSIMAGE_SUPERVISOR is set, and ${cache} has none`, { remedy: 'run "tarsk8s up" once, which makes one, or give --supervisor' })
  return readSupervisors(newest.path)
}
