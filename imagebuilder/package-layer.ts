import { Failure } from '#base/errors.ts'
import { LayerStream, type LayerDigests } from './layer-stream.ts'
import type { BuildMembers } from './member-cache.ts'
import { isUploadLost, uploadTries, type ImageDestination } from './oci/destination.ts'
import type { BlobWriter } from './oci/upload.ts'
import type { PackageSource } from './package/entry.ts'
import type { PackageLimits } from './package/limits.ts'
import { isCandidate, preflight, type Expectation } from './package/preflight.ts'
import { rewritePackage } from './package/rewrite.ts'
import { keptFolders, TopFolder, TopFolderContradicted } from './package/top-folder.ts'

/** Where tarsnode looks for the server's files (spec A.3). */
export const packageRoot = 'usr/local/server/bin'

export interface PackageLayerOptions extends Expectation {
  readonly limits: PackageLimits
  /** Which of these loaders and libraries, file names, the base image lacks. */
  readonly lacking: (names: readonly string[]) => Promise<readonly string[]>
  readonly signal: AbortSignal
  readonly members?: BuildMembers | undefined
  readonly onProgress?: ((progress: { readonly read: number; readonly size: number; readonly pushed: number }) => void) | undefined
}

export interface PackageLayer extends LayerDigests {
  /** The folder that was stripped from every path, if there was one. */
  readonly topFolder: string | undefined
  readonly files: number
}

/**
 * Streams the package into one layer at the destination and checks it on the way; a package that is refused leaves
 * nothing behind, for its blob is never committed.
 */
export async function pushPackageLayer(source: PackageSource, destination: ImageDestination, options: PackageLayerOptions): Promise<PackageLayer> {
  let strip = true
  for (let attempt = 1; ; ) {
    try {
      return await onePass(source, destination, new TopFolder(keptFolders(options.serverType), strip), options)
    } catch (error) {
      if (error instanceof TopFolderContradicted) strip = false
      else if (!isUploadLost(error) || ++attempt > uploadTries) throw error
    }
  }
}

async function onePass(source: PackageSource, destination: ImageDestination, topFolder: TopFolder, options: PackageLayerOptions): Promise<PackageLayer> {
  const { signal } = options
  const writer = await destination.startBlob('the package layer', signal)
  const layer = new LayerStream((bytes) => {
    options.onProgress?.({ read: source.consumed(), size: source.size, pushed: layer.size })
    return writer.write(bytes)
  }, options.members)
  try {
    const inventory = await rewritePackage(source, layer, { root: packageRoot, limits: options.limits, topFolder, isCandidate: isCandidate(options), signal })
    await checkLibraries(preflight(inventory, options), options)
    const digests = await layer.end()
    await writer.commit(digests.digest)
    return { ...digests, topFolder: topFolder.name, files: inventory.fileCount }
  } catch (error) {
    await giveUp(layer, writer)
    throw signal.aborted ? signal.reason : error
  }
}

/** @throws PACKAGE_LIBRARIES */
async function checkLibraries(needed: readonly string[], { server, lacking }: PackageLayerOptions): Promise<void> {
  const missing = needed.length === 0 ? [] : await lacking(needed)
  if (missing.length === 0) return
  throw new Failure('PACKAGE_LIBRARIES', `executable "${server}" needs ${missing.join(', ')}, and neither the package nor the base image has ${missing.length === 1 ? 'it' : 'them'}`, { remedy: 'pack what is missing into the folder lib, or choose a base image that has it', context: { server, missing: missing.join(', ') } })
}

async function giveUp(layer: LayerStream, writer: BlobWriter): Promise<void> {
  await layer.abort()
  await writer.abort()
}
