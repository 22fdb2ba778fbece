import { createHash } from 'node:crypto'
import type { Observer } from '../package/rewrite.ts'
import { openZip } from '../package/zip-source.ts'
import { archiveComponent, goModules, manifestReader, type Component } from './components.ts'
import { GoBuildInfo } from './go-build-info.ts'

/** Media type of the document (IANA). */
export const billType = 'application/vnd.cyclonedx+json'

/** A manifest that is larger says nothing that is worth its memory. Bytes. */
const largestManifest = 4 << 20

/** The bill of materials of a package: watches its files on their way into the layer, and tells what they bring. */
export class Bill {
  readonly #components = new Map<string, Component>()

  /** Who looks at a file; undefined for one that tells nothing. */
  observer(path: string, size: number): Observer | undefined {
    const read = manifestReader(path)
    if (read !== undefined) return size > largestManifest ? undefined : this.#reading(read)
    if (archiveComponent(path) !== undefined) return this.#hashing(path)
    // An executable lies at the root of a package.
    return path.includes('/') ? undefined : this.#scanning()
  }

  /** Looks into a jar, for what was packed into it. */
  async addJar(file: string): Promise<void> {
    for await (const { name, size, content } of (await openZip(file)).entries()) {
      const read = manifestReader(name)
      const nested = archiveComponent(name)
      if (read !== undefined && size <= largestManifest) this.#add(read(await whole(content)))
      else if (nested !== undefined) this.#add([nested])
    }
  }

  /** The document (CycloneDX 1.6): the same for the same package. */
  document(release: { readonly app: string; readonly server: string; readonly builder: string }): Buffer {
    const [tool = '', version = ''] = release.builder.split('/')
    const components = [...this.#components].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([reference, component]) => ({ 'bom-ref': reference, ...component }))
    return Buffer.from(JSON.stringify({
      $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json', bomFormat: 'CycloneDX', specVersion: '1.6', version: 1,
      metadata: { tools: { components: [{ type: 'application', name: tool, version }] }, component: { type: 'application', 'bom-ref': 'release', group: release.app, name: release.server } },
      components,
    }))
  }

  #add(components: readonly Component[]): void {
    for (const component of components) this.#components.set(component.purl ?? `${component.name}@${component.version ?? ''}${component.hashes?.[0] === undefined ? '' : `#${component.hashes[0].content}`}`, component)
  }

  #reading(read: (content: Buffer) => Component[]): Observer {
    const parts: Buffer[] = []
    return { see: (piece) => void parts.push(Buffer.from(piece)), end: () => this.#add(read(Buffer.concat(parts))) }
  }

  #hashing(path: string): Observer {
    const hash = createHash('sha1')
    return {
      see: (piece) => void hash.update(piece),
      end: () => {
        const component = archiveComponent(path, hash.digest('hex'))
        if (component !== undefined) this.#add([component])
      },
    }
  }

  #scanning(): Observer {
    const info = new GoBuildInfo()
    return { see: (piece) => info.see(piece), end: () => this.#add(goModules(info.text())) }
  }
}

async function whole(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of content) parts.push(Buffer.from(part))
  return Buffer.concat(parts)
}
