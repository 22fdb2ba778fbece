import { Failure } from '#base/errors.ts'
import type { Codec } from './compression/codec.ts'
import { LayerStream, type LayerContent, type LayerDigests } from './layer-stream.ts'
import type { BuildMembers } from './member-cache.ts'
import { isUploadLost, uploadTries, type ImageDestination } from './oci/destination.ts'
import type { BlobWriter } from './oci/upload.ts'
import type { PackageSource } from './package/entry.ts'
import type { PackageLimits } from './package/limits.ts'
import { JarManifest } from './package/jar-manifest.ts'
import { isCandidate, isServerJar, preflight, type BasePlatforms, type Expectation, type Needs } from './package/preflight.ts'
import { rewritePackage } from './package/rewrite.ts'
import { Bill } from './sbom/bill.ts'
import { keptFolders, TopFolder, TopFolderContradicted } from './package/top-folder.ts'

/** Where tarsnode looks for the server's files (spec A.3). */
export const packageRoot = 'usr/local/server/bin'

export interface PackageLayerOptions extends Expectation {
  readonly limits: PackageLimits
  /** Asked for when the package was seen to its end. */
  readonly platforms: () => Promise<BasePlatforms>
  /** Which of these loaders and libraries, file names, the base image of an architecture lacks; undefined: of any. */
  readonly lacking: (names: readonly string[], architecture: string | undefined) => Promise<readonly string[]>
  readonly signal: AbortSignal
  /** True: the layer comes with a bill of what its files bring. */
  readonly bill?: boolean
  /** Compressed by earlier builds. */
  readonly members?: BuildMembers | undefined
  readonly codec?: Codec | undefined
  /** Hears of the layer when all of it was seen, while the last of it is compressed and taken in. */
  readonly onContent?: (layer: PackageContent) => Promise<void>
  readonly onProgress?: ((progress: { readonly read: number; readonly size: number; readonly pushed: number }) => void) | undefined
}

export interface PackageContent extends LayerContent {
  /** The folder that was stripped from every path, if there was one. */
  readonly topFolder: string | undefined
  readonly files: number
  /** The one that its executable is for; undefined for a package that runs on each. */
  readonly architecture?: string
  readonly bill?: Bill
}

export type PackageLayer = PackageContent & LayerDigests

/**
 * Streams the package into one layer at the destination and checks it on the way; a package that is refused leaves
 * nothing behind, for its blob is never committed.
 */
export async function pushPackageLayer(source: PackageSource, destination: ImageDestination, options: PackageLayerOptions): Promise<PackageLayer> {
  let strip = true
  for (let attempt = 1; ; ) {
    try {
      return await onePass(source, destination, new TopFolder(keptFolders(options.serverType, options.entrances), strip), options)
    } catch (error) {
      if (error instanceof TopFolderContradicted) strip = false
      else if (!isUploadLost(error) || ++attempt > uploadTries) throw error
    }
  }
}

async function onePass(source: PackageSource, destination: ImageDestination, topFolder: TopFolder, options: PackageLayerOptions): Promise<PackageLayer> {
  const { signal } = options
  const manifest = new JarManifest()
  const bill = options.bill === true ? new Bill() : undefined
  // The first bytes are unpacked and compressed while the destination gets ready.
  const writer = destination.startBlob('the package layer', signal)
  writer.catch(() => {})
  const layer = new LayerStream(async (bytes) => {
    options.onProgress?.({ read: source.consumed(), size: source.size, pushed: layer.size })
    await (await writer).write(bytes)
  }, { members: options.members, codec: options.codec })
  try {
    const inventory = await rewritePackage(source, layer, { root: packageRoot, limits: options.limits, topFolder, isCandidate: isCandidate(options), observe: (path, size) => (isServerJar(path, options) ? manifest : bill?.observer(path, size)), signal })
    const needs = preflight(inventory, { ...options, ...(await options.platforms()) })
    if (manifest.lacksMain) refuseJar(options.server)
    await checkLibraries(needs, options)
    const content = { ...(await layer.endContent()), topFolder: topFolder.name, files: inventory.fileCount, ...(needs.architecture === undefined ? {} : { architecture: needs.architecture }), ...(bill && { bill }) }
    const [digests] = await together(finish(layer, content, await writer), options.onContent?.(content) ?? Promise.resolve())
    return { ...content, ...digests }
  } catch (error) {
    await giveUp(layer, writer)
    throw signal.aborted ? signal.reason : error
  }
}

function refuseJar(server: string): never {
  throw new Failure('PACKAGE_LAYOUT', `${server}.jar has no Main-Class in its META-INF/MANIFEST.MF, and it is started by "java -jar"`, { remedy: 'have the build tool write Main-Class into the manifest', context: { server } })
}

/** @throws PACKAGE_LIBRARIES */
async function checkLibraries({ libraries, architecture }: Needs, { server, lacking }: PackageLayerOptions): Promise<void> {
  const missing = libraries.length === 0 ? [] : await lacking(libraries, architecture)
  if (missing.length === 0) return
  throw new Failure('PACKAGE_LIBRARIES', `executable "${server}" needs ${missing.join(', ')}, and neither the package nor the base image has ${missing.length === 1 ? 'it' : 'them'}`, { remedy: 'pack what is missing into the folder lib, or choose a base image that has it', context: { server, missing: missing.join(', ') } })
}

async function finish(layer: LayerStream, content: LayerContent, writer: BlobWriter): Promise<LayerDigests> {
  writer.nearlyDone?.()
  const digests = await layer.end(content)
  await writer.commit(digests.digest)
  return digests
}

/** Waits for both, then throws what the first threw, or the second. */
async function together<A, B>(...work: readonly [Promise<A>, Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled(work)
  return Promise.all(work)
}

async function giveUp(layer: LayerStream, writer: Promise<BlobWriter>): Promise<void> {
  await layer.abort()
  await writer.then((one) => one.abort(), () => {})
}
