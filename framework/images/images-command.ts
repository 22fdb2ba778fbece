// `tarsk8s images push`: everything that a cluster pulls, built and pushed.
import { resolve } from 'node:path'
import { misuse, runCommand, type Parsed } from '#base/command.ts'
import type { CommandIo } from '#base/command-io.ts'
import { baseNames, chooseBaseImage } from '../../base-images/catalog.ts'
import { registryAccess } from '../../imagebuilder/command/access.ts'
import type { ComposedImage } from '../../imagebuilder/compose.ts'
import { parseLocation, type ImageLocation } from '../../imagebuilder/oci/location.ts'
import { renderTable } from '../cli/parts/table.ts'
import { writeBase, type BaseImageOptions } from '../local/base-image.ts'
import { writeNodeImage } from '../local/node-image.ts'
import { createSteps } from '../local/steps.ts'
import { writeFrameworkImage } from './framework-image.ts'
import { checkVersion, ownVersion } from './version.ts'

const usage = `usage: tarsk8s images push <registry>[/path] [options]
Builds the images that a cluster needs, without Docker, and pushes them: <registry>/tars.<image>:<version>.
  Images: framework node ${baseNames.join(' ')}
  framework is that of all roles, node is tarsnode alone, the others are base images, one a language.

  --version V         tag of the images                 (default: that of this repository)
  --only A,B          only these images                 (default: all)
  --fresh             base images of the newest packages, whatever was fetched before
  --cache DIR         staged files and layers are kept here    (default .tarsk8s/cache)
  --insecure HOST     registry that speaks plain HTTP; may be repeated
  --ca FILE           PEM certificates to trust the registry by
  --registry-config FILE  Docker config JSON with credentials  (default: as "docker login" left it)
  --json              print the result as JSON
Exit codes: 0 done, 1 failed, 2 wrong usage.
`

const options = {
  version: { type: 'string' }, only: { type: 'string', multiple: true }, fresh: { type: 'boolean', default: false }, cache: { type: 'string', default: '.tarsk8s/cache' },
  insecure: { type: 'string', multiple: true }, ca: { type: 'string' }, 'registry-config': { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

type Write = (destination: ImageLocation, options: BaseImageOptions) => Promise<ComposedImage>

/** An image that is pushed. */
interface Product {
  readonly name: string
  /** Last part of its repository's name. */
  readonly repository: string
  readonly write: Write
}

/** @returns exit code: 0 done, 1 failed, 2 usage */
export function run(args: readonly string[], io: CommandIo): Promise<number> {
  return runCommand({ name: 'images', usage, options }, args, io, async ({ values, positionals }) => {
    const [verb, registry, ...more] = positionals
    if (verb !== 'push') throw misuse(verb === undefined ? 'say what to do with images' : `there is no "images ${verb}"`)
    if (registry === undefined) throw misuse('the registry is missing')
    if (more.length > 0) throw misuse(`"${more[0]}" is one argument too many`)
    await push(registry.replace(/\/+$/, ''), values, io)
  })
}

async function push(registry: string, values: Parsed<typeof options>['values'], io: CommandIo): Promise<void> {
  const version = checkVersion(values.version ?? (await ownVersion()))
  const access = await registryAccess(values, io)
  const building = { cacheDir: resolve(io.cwd, values.cache), nodeBinary: process.execPath, fresh: values.fresh, access, signal: io.signal }
  const products = await Promise.all(chosen(values.only ?? []).map((name) => product(name, building)))
  const places = products.map(({ repository }) => parseLocation(`${registry}/tars.${repository}:${version}`, io.cwd))
  const steps = createSteps((line) => void io.err.write(line))
  const pushed: (ComposedImage & { readonly name: string })[] = []
  for (const [index, { name, write }] of products.entries()) {
    const composed = await steps.run(name, () => write(places[index] as ImageLocation, building))
    pushed.push({ name, ...composed })
  }
  const columns = (['name', 'image', 'digest'] as const).map((key) => ({ title: key.toUpperCase(), value: (row: (typeof pushed)[number]) => row[key] }))
  io.out.write(values.json ? `${JSON.stringify(pushed, null, 2)}\n` : renderTable(columns, pushed))
}

/** @throws Failure USAGE for a name that no image has */
function chosen(only: readonly string[]): readonly string[] {
  const known = ['framework', 'node', ...baseNames]
  const wanted = only.flatMap((list) => list.split(',')).filter((name) => name !== '')
  const strange = wanted.find((name) => !known.includes(name))
  if (strange !== undefined) throw misuse(`there is no image "${strange}"`)
  return wanted.length === 0 ? known : known.filter((name) => wanted.includes(name))
}

async function product(name: string, building: BaseImageOptions): Promise<Product> {
  if (name === 'framework') return { name, repository: 'framework', write: writeFrameworkImage }
  if (name === 'node') return { name, repository: 'tarsnode', write: writeNodeImage }
  const base = chooseBaseImage(name)
  return { name, repository: (await base.recipe(building)).name, write: (destination, given) => writeBase(base, destination, given) }
}
