import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Failure } from '#base/errors.ts'
import { tarEnd, tarHeader, tarPadding } from '../tar.ts'
import type { ImageDestination } from './destination.ts'
import { digestHex } from './digest.ts'
import { layoutDestination } from './layout.ts'
import type { Manifest } from './types.ts'

/** How to reach a Docker engine. */
export interface DockerOptions {
  /** Default /var/run/docker.sock, or what DOCKER_HOST says to dockerode. */
  readonly socketPath?: string
  /** Folder for the image while it is put together. Default: the system's. */
  readonly workspace?: string
}

/**
 * Loads an image into a Docker engine: blobs are gathered in a temporary layout and sent as a docker-archive
 * (`manifest.json`, configuration, layers), which every engine since 1.10 takes.
 */
export async function dockerDestination(name: string, options: DockerOptions = {}): Promise<ImageDestination> {
  const dir = await mkdtemp(join(options.workspace ?? tmpdir(), 'tarsk8s-docker-'))
  const layout = await layoutDestination(dir, 'image')
  return {
    image: name,
    place: (blob, signal) => layout.place(blob, signal),
    startBlob: (what, signal) => layout.startBlob(what, signal),
    publish: async ({ body }, signal) => load(archive(name, dir, JSON.parse(body.toString('utf8')) as Manifest), name, options, signal),
    close: () => rm(dir, { recursive: true, force: true }),
  }
}

async function load(image: AsyncIterable<Buffer>, name: string, options: DockerOptions, signal: AbortSignal | undefined): Promise<void> {
  const { default: Docker } = await import('dockerode')
  const docker = new Docker(options.socketPath === undefined ? {} : { socketPath: options.socketPath })
  const answer = await docker.loadImage(Readable.from(image), { quiet: true, ...(signal === undefined ? {} : { abortSignal: signal }) }).catch((cause: unknown) => Promise.reject(unreachable(cause)))
  const text: string[] = []
  for await (const part of answer) text.push(String(part))
  const failed = text.join('').split('\n').map(errorOf).find((error) => error !== undefined)
  if (failed !== undefined) throw new Failure('DOCKER_LOAD', `the Docker engine did not load ${name}: ${failed}`, { remedy: 'see the log of dockerd' })
}

function unreachable(cause: unknown): Failure {
  return new Failure('DOCKER_UNREACHABLE', 'the Docker engine does not answer', { cause, temporary: true, remedy: 'start dockerd, or set DOCKER_HOST to its address' })
}

function errorOf(line: string): string | undefined {
  try {
    return (JSON.parse(line) as { error?: string }).error
  } catch {
    return undefined
  }
}

/** The docker-archive as a stream of tar bytes (docker image-spec v1.2 "Combined Image JSON + Filesystem Changeset Format"). */
async function* archive(name: string, dir: string, manifest: Manifest): AsyncGenerator<Buffer> {
  const blob = (digest: string): string => join(dir, 'blobs', 'sha256', digestHex(digest))
  const config = `${digestHex(manifest.config.digest)}.json`
  const layers = [...new Set(manifest.layers.map((layer) => layer.digest))]
  const index = [{ Config: config, RepoTags: [name], Layers: manifest.layers.map((layer) => `${digestHex(layer.digest)}.tar.gz`) }]
  yield* member(config, await readFile(blob(manifest.config.digest)))
  for (const digest of layers) {
    const { size } = await stat(blob(digest))
    yield tarHeader({ path: `${digestHex(digest)}.tar.gz`, type: 'file', mode: 0o644, size })
    yield* createReadStream(blob(digest), { highWaterMark: 256 << 10 }) as AsyncIterable<Buffer>
    yield tarPadding(size)
  }
  yield* member('manifest.json', Buffer.from(JSON.stringify(index)))
  yield tarEnd
}

function* member(path: string, content: Buffer): Generator<Buffer> {
  yield tarHeader({ path, type: 'file', mode: 0o644, size: content.length })
  yield content
  yield tarPadding(content.length)
}
