import { Readable } from 'node:stream'
import { Failure } from '#base/errors.ts'
import type { ImageDestination } from './destination.ts'
import { gatheredArchive } from './docker-archive.ts'

/** How to reach a Docker engine. */
export interface DockerOptions {
  /** Default /var/run/docker.sock, or what DOCKER_HOST says to dockerode. */
  readonly socketPath?: string
  /** Folder for the image while it is put together. Default: the system's. */
  readonly workspace?: string
}

/** Loads an image into a Docker engine, as a docker-archive. */
export function dockerDestination(name: string, options: DockerOptions = {}): Promise<ImageDestination> {
  return gatheredArchive(name, name, options.workspace, (archive, signal) => load(archive, name, options, signal))
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
