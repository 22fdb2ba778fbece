import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { supervisorLayer } from '../../../framework/local/supervisor-layer.ts'
import { buildImage } from '../../../imagebuilder/build.ts'
import { composeImage } from '../../../imagebuilder/compose.ts'
import { layerFromFiles } from '../../../imagebuilder/layer.ts'
import { parseLocation } from '../../../imagebuilder/oci/location.ts'
import type { ServerType } from '../../../imagebuilder/package/preflight.ts'
import { elf, tgz, write } from '../../imagebuilder/rig/archives.ts'
import { platform } from '../../imagebuilder/rig/image.ts'
import type { Goal } from '../goal.ts'

const PACKAGES: readonly { readonly type: ServerType; readonly file: string; readonly content: Buffer }[] = [
  { type: 'cpp', file: 'EchoServer', content: elf() },
  { type: 'nodejs', file: 'package.json', content: Buffer.from('{"name":"echo","main":"app.js"}') },
]

/** An image of a server type with a supervisor's layer made anew. @returns the layers that are neither base nor package */
async function middleLayers(dir: string, { type, file, content }: (typeof PACKAGES)[number]): Promise<readonly { readonly digest: string; readonly size: number }[]> {
  const { layer } = await supervisorLayer(join(dir, 'cache', type))
  const rootfs = await layerFromFiles([{ path: '/etc/os-release', content: type }], join(dir, `${type}.tar.gz`))
  const base = parseLocation(`oci:${join(dir, `base-${type}`)}`)
  await composeImage({ layers: [rootfs], config: {}, destination: base, platform })
  const archive = await write(join(dir, `${type}.tgz`), tgz([{ name: `EchoServer/${file}`, mode: 0o755, content }, { name: 'EchoServer/app.js', content: Buffer.from('') }]))
  const { layers } = await buildImage({ package: archive, app: 'Test', server: 'EchoServer', serverType: type, base, supervisors: [layer], destination: parseLocation(`oci:${join(dir, type)}`), platforms: [platform] })
  return layers.slice(1, -1)
}

/** What the supervisor adds to an image, and whether all images share it. */
export async function layer(note: (line: string) => void): Promise<readonly Goal[]> {
  const dir = await mkdtemp(join(tmpdir(), 'tarsk8s-layer-'))
  try {
    const found: { readonly digest: string; readonly size: number }[] = []
    for (const one of PACKAGES) {
      const layers = await middleLayers(dir, one)
      for (const { digest, size } of layers) note(`image of type ${one.type}: supervisor's layer ${digest.slice(0, 19)}…, ${size} bytes`)
      found.push(...layers)
    }
    return [
      { what: "the supervisor's layer, compressed", samples: found.map(({ size }) => size / 1e6), bar: 45, rule: 'most', unit: ' MB' },
      { what: `layers added to images besides their packages, all images of ${PACKAGES.length} types together`, samples: [new Set(found.map(({ digest }) => digest)).size], bar: 1, rule: 'most' },
    ]
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
