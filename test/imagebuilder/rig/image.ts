// A registry with a base image, and builds onto it.
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startOciRegistry } from '../../../framework/local/oci/server.ts'
import { buildImage, type BuildOptions, type BuiltImage } from '../../../imagebuilder/build.ts'
import { composeImage } from '../../../imagebuilder/compose.ts'
import { layerFromFiles } from '../../../imagebuilder/layer.ts'
import { parseLocation } from '../../../imagebuilder/oci/location.ts'
import type { RegistryAccess } from '../../../imagebuilder/oci/session.ts'
import type { SupervisorLayer } from '../../../imagebuilder/supervisor.ts'
import { crane } from '../../rig/registry.ts'

const execute = promisify(execFile)

export interface Workbench {
  readonly dir: string
  readonly supervisor: SupervisorLayer
  /** Path of a file in the working folder. */
  path(name: string): string
  /** Pushes a base image for amd64 and returns its reference. */
  base(address: string, architecture?: string, access?: RegistryAccess): Promise<string>
  build(address: string, options: Pick<BuildOptions, 'package'> & Partial<BuildOptions>): Promise<BuiltImage>
  clean(): Promise<void>
}

export const platform = { os: 'linux', architecture: 'amd64' }

export async function workbench(): Promise<Workbench> {
  const dir = await mkdtemp(join(tmpdir(), 'tarsk8s-image-'))
  const layer = await layerFromFiles([{ path: '/tarsnode/tarsnode.mjs', content: '// supervisor' }], join(dir, 'supervisor.tar.gz'))
  const rootfs = await layerFromFiles([{ path: '/etc/os-release', content: 'NAME=test' }], join(dir, 'base.tar.gz'))
  const supervisor = { ...layer, architecture: 'amd64', entrypoint: ['/tarsnode/bin/node', '/tarsnode/tarsnode.mjs'] }
  return {
    dir,
    supervisor,
    path: (name) => join(dir, name),
    async base(address, architecture = 'amd64', access = {}) {
      const { image } = await composeImage({ layers: [rootfs], config: { Env: ['LANG=C.UTF-8'], Cmd: ['/bin/sh'] }, destination: parseLocation(`${address}/tars/base:${architecture}`), platform: { os: 'linux', architecture }, access })
      return image
    },
    build: (address, options) =>
      buildImage({ app: 'Demo', server: 'HelloServer', serverType: 'cpp', base: parseLocation(`${address}/tars/base:amd64`), supervisors: [supervisor], destination: parseLocation(`${address}/tars/demo.helloserver:v1`), platforms: [platform], ...options }),
    clean: () => rm(dir, { recursive: true, force: true }),
  }
}

/** Runs crane and returns what it prints. */
export async function runCrane(...args: readonly string[]): Promise<string> {
  const { stdout } = await execute(await crane(), [...args], { maxBuffer: 1 << 26 })
  return stdout
}

/** `tar tvf` of an image's whole file system: mode, owner, size, time, path. */
export async function listing(image: string, dir: string): Promise<string[]> {
  const file = join(dir, 'export.tar')
  await runCrane('export', image, file)
  const { stdout } = await execute('tar', ['--numeric-owner', '--full-time', '-tvf', file], { env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' } })
  return stdout.trimEnd().split('\n').map((line) => line.replace(/ +/g, ' '))
}

export { startOciRegistry }

/** Bytes of all files below a folder, by path: two equal answers mean that nothing was left or changed. */
export async function filesBelow(folder: string): Promise<Record<string, number>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort()
  return Object.fromEntries(await Promise.all(files.map(async (file) => [file.slice(folder.length), (await stat(file)).size])))
}
