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
 * Opens a release package by its content. A jar of a java-jar server stays whole, under the name tarsnode starts; a zip that
 * is none, for it has no manifest, is a package with the jar in it.
 * @param arrival of a file that is still being written: a tar is read as it comes, a zip has its directory at the end
 */
export async function openPackage(path: string, serverType: ServerType, server: string, arrival?: Arrival, signal?: AbortSignal): Promise<PackageSource> {
  await arrival?.more(headBytes - 1, signal)
  const format = await recognise(path)
  if (format !== 'zip') return openTar(path, format, arrival)
  await arrival?.more(Infinity, signal)
  return serverType === 'java-jar' && (await isJar(path)) ? openJar(path, `${server}.jar`) : openZip(path)
}

/** A jar as a package of one file. */
async function openJar(path: string, name: string): Promise<PackageSource> {
  const { size } = await stat(path)
  let file: ReadStream | undefined
  return {
    description: 'jar',
    size,
    consumed: () => file?.bytesRead ?? 0,
    async *entries() {
      file = createReadStream(path, { highWaterMark: 256 << 10 })
      yield { name, type: 'file', kind: 'file', mode: 0o644, size, target: '', content: file as AsyncIterable<Buffer> }
    },
  }
}

/** The JVM starts none without its manifest. The directory is read, so that a damaged jar is found here and not by the JVM. */
async function isJar(path: string): Promise<boolean> {
  const file = await openFile(path, 'r')
  try {
    const members = await readZipDirectory(file, (await file.stat()).size)
    return members.some(({ name }) => name.toUpperCase() === 'META-INF/MANIFEST.MF')
  } catch (error) {
    throw damaged(error, path)
  } finally {
    await file.close()
  }
}
