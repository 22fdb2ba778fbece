import { createReadStream, type ReadStream } from 'node:fs'
import { open as openFile, stat } from 'node:fs/promises'
import type { Arrival } from './arrival.ts'
import { damaged } from './damaged.ts'
import type { PackageSource } from './entry.ts'
import type { ServerType } from './preflight.ts'
import { headBytes, recognise } from './recognise.ts'
import { openTar } from './tar-source.ts'
import { readZipDirectory } from './zip-directory.ts'
import { openZip } from './zip-source.ts'

/**
 * Opens a release package by its content. A jar of a java-jar server stays whole, under the name tarsnode starts.
 * @param arrival of a file that is still being written: a tar is read as it comes, a zip has its directory at the end
 */
export async function openPackage(path: string, serverType: ServerType, server: string, arrival?: Arrival, signal?: AbortSignal): Promise<PackageSource> {
  await arrival?.more(headBytes - 1, signal)
  const format = await recognise(path)
  if (format !== 'zip') return openTar(path, format, arrival)
  await arrival?.more(Infinity, signal)
  return serverType === 'java-jar' ? openJar(path, `${server}.jar`) : openZip(path)
}

/** A jar as a package of one file. Its directory is read, so that a damaged one is found here and not by the JVM. */
async function openJar(path: string, name: string): Promise<PackageSource> {
  const { size } = await stat(path)
  let file: ReadStream | undefined
  return {
    description: 'jar',
    size,
    consumed: () => file?.bytesRead ?? 0,
    async *entries() {
      await checkDirectory(path, size)
      file = createReadStream(path, { highWaterMark: 256 << 10 })
      yield { name, type: 'file', kind: 'file', mode: 0o644, size, target: '', content: file as AsyncIterable<Buffer> }
    },
  }
}

async function checkDirectory(path: string, size: number): Promise<void> {
  const file = await openFile(path, 'r')
  try {
    await readZipDirectory(file, size)
  } catch (error) {
    throw damaged(error, path)
  } finally {
    await file.close()
  }
}
