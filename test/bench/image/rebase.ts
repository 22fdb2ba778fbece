import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { composeImage } from '../../../imagebuilder/compose.ts'
import { copyImage } from '../../../imagebuilder/copy.ts'
import { layerFromFiles } from '../../../imagebuilder/layer.ts'
import { openDestination, openSource, parseLocation } from '../../../imagebuilder/oci/location.ts'
import { faultyRegistry } from '../../rig/faulty-registry.ts'
import type { Goal } from '../goal.ts'
import { releasePackage } from '../release-package.ts'
import { execute, onGround, seconds, server, warm, withRegistry } from './contest.ts'

const ROUNDS = 3
const IMAGES = 100
const BUILDS = 5

const launcher = join(import.meta.dirname, '../../../framework/bootstrap.mjs')
const tarsk8s = (...args: readonly string[]): Promise<unknown> => execute(process.execPath, [launcher, 'image', ...args], { maxBuffer: 1 << 26 })

/** A new base image under a hundred images at a docker-registry, against building five of them anew. */
export async function rebase(note: (line: string) => void): Promise<readonly Goal[]> {
  const file = await releasePackage(server, 200)
  await warm(file)
  const [times, requests, moved]: number[][] = [[], [], []]
  await onGround(async (ground) => {
    const mended = await layerFromFiles([{ path: '/etc/mended', content: 'CVE' }], join(ground.dir, 'mended.tar.gz'))
    for (let round = 0; round < ROUNDS; round++) {
      await withRegistry(ground, async ({ address, base }) => {
        const watched = await faultyRegistry(address)
        try {
          const build = (to: string): Promise<unknown> => tarsk8s('build', file, '--app', 'Bench', '--server', server, '--type', 'cpp', '--base', base, '--to', to, '--supervisor', ground.supervisor)
          const five = await seconds(async () => {
            for (let number = 0; number < BUILDS; number++) await build(`${address}/bench/built${number}:1`)
          })
          const names = Array.from({ length: IMAGES }, (_, number) => `${watched.address}/bench/server${number}:1`)
          for (const name of names) await copy(`${address}/bench/built0:1`, name.replace(watched.address, address))
          const to = `${watched.address}/tars/base:2`
          await composeImage({ layers: [ground.base, mended], config: { Env: ['PATH=/bin'] }, destination: parseLocation(to) })
          const list = join(ground.dir, 'list')
          await writeFile(list, names.join('\n'))
          watched.requests.splice(0)
          const hundred = await seconds(() => tarsk8s('rebase', '--from-file', list, '--base', to))
          const own = watched.requests.filter(({ line }) => line.includes('/bench/server'))
          times?.push(hundred / five)
          requests?.push(own.length / IMAGES)
          // A configuration and a manifest each; the new layer itself is mounted.
          moved?.push(own.filter(({ line }) => line.includes('/blobs/')).reduce((sum, { bytes }) => sum + bytes, 0) / IMAGES)
          note(`round ${round + 1}: ${BUILDS} builds ${five.toFixed(2)} s; ${IMAGES} rebases ${hundred.toFixed(2)} s, ${own.length} requests`)
        } finally {
          await watched.stop()
        }
      })
    }
  })
  return [
    { what: `${IMAGES} rebases ÷ ${BUILDS} builds of a 200 MB tgz, wall`, samples: times ?? [], bar: 1, rule: 'most', unit: '×' },
    { what: 'requests that a rebase makes at the registry', samples: requests ?? [], bar: 6, rule: 'most' },
    { what: 'bytes of blobs that a rebase sends: a configuration, and of layers none', samples: moved ?? [], bar: 5000, rule: 'most', unit: ' B' },
  ]
}

async function copy(from: string, to: string): Promise<void> {
  const source = openSource(parseLocation(from), {})
  const destination = await openDestination(parseLocation(to), {})
  try {
    await copyImage(source, destination)
  } finally {
    source.close()
    await destination.close()
  }
}
