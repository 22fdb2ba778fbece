// What the contenders share: a registry with a base image, a supervisor's layer, and the clock.
import { execFile } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { composeImage } from '../../../imagebuilder/compose.ts'
import { layerFromFiles, type LayerFile } from '../../../imagebuilder/layer.ts'
import { parseLocation } from '../../../imagebuilder/oci/location.ts'
import { distributionRegistry } from '../../rig/registry.ts'

export const execute = promisify(execFile)

/** The server whose packages are built. */
export const server = 'BenchServer'
/** The base image's one layer, which does not shrink. Bytes. */
const baseBytes = 80e6

/** Folders, and what goes into every image. */
export interface Ground {
  readonly dir: string
  /** JSON file that describes the supervisor's layer. */
  readonly supervisor: string
  readonly base: LayerFile
}

/** A registry with the base image in it. */
export interface Arena {
  /** host:port */
  readonly address: string
  /** Reference of the base image. */
  readonly base: string
}

/** Lends a ground, and cleans it up. */
export async function onGround<T>(use: (ground: Ground) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'tarsk8s-bench-'))
  try {
    const layer = await layerFromFiles([{ path: '/tarsnode/tarsnode.mjs', content: '// supervisor' }], join(dir, 'supervisor.tar.gz'))
    const supervisor = join(dir, 'supervisor.json')
    await writeFile(supervisor, JSON.stringify({ ...layer, entrypoint: ['/tarsnode/bin/node'] }))
    const base = await layerFromFiles([{ path: '/usr/lib/base', content: randomFillSync(Buffer.alloc(baseBytes)) }], join(dir, 'base.tar.gz'))
    return await use({ dir, supervisor, base })
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Lends a fresh docker-registry with the base image; every contender pushes into a repository of its own. */
export async function withRegistry<T>(ground: Ground, use: (arena: Arena) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(ground.dir, 'registry-'))
  const { address, stop } = await distributionRegistry(dir)
  try {
    const base = `${address}/tars/base:1`
    await composeImage({ layers: [ground.base], config: { Env: ['PATH=/bin'] }, destination: parseLocation(base) })
    return await use({ address, base })
  } finally {
    await stop()
    await rm(dir, { recursive: true, force: true })
  }
}

/** Seconds that `work` takes; what others left to be written to the disk is written before. */
export async function seconds(work: () => Promise<unknown>): Promise<number> {
  await execute('sync')
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

/** Reads a file, so that the first contender does not pay for the disk. */
export async function warm(file: string): Promise<void> {
  await execute('cksum', [file])
}
