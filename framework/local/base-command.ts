// `tarsk8s base <language>|node`: one more base image, or the node image, for the running local cluster.
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { describe, Failure } from '#base/errors.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { parseLocation, type ImageLocation } from '../../imagebuilder/oci/location.ts'
import { baseNames, chooseBaseImage, type BaseChoice } from '../../base-images/catalog.ts'
import { publishBase, writeBase, type BaseImageOptions } from './base-image.ts'
import type { ClusterInfo } from './cluster.ts'
import type { CommandIo } from '#base/command-io.ts'
import { publishNodeImage, writeNodeImage, type NodeImageOptions } from './node-image.ts'
import { createSteps } from './steps.ts'

const usage = `usage: tarsk8s base <language>[:version]|node [--debug] [--fresh] [--data DIR] [--to IMAGE]
  Builds the base image of a language from Debian packages. It goes into the registry of the running local cluster and is
  recorded as a TImage there, so that "tarsk8s release --type …" finds it; or, with --to, to a registry reference, an OCI
  layout (oci:DIR) or a Docker engine (docker:NAME), for which no cluster is needed.

  Base images: ${baseNames.join(' ')}
  static has no C library and no shell, for executables that need none. A language without a version is the usual one.

  --debug        lays gdb, strace, tcpdump, curl, vim and the like over it, as one more layer; in the cluster that is a second
                 release of the TImage, with "-debug" at the end of its tag
  --fresh        of the newest packages of Debian; without it, those that this machine fetched before are used again

  node is no base image but the node image: tarsnode alone, to be injected into pods instead of the one baked into their images.
  It is recorded as the TImage tarsnode. One server gets it by spec.release.nodeImage of its TServer, all that do not say
  otherwise by nodeImage.image of TFrameworkConfig tars-framework; no image is built again for that.
`

const options = { data: { type: 'string', default: '.tarsk8s' }, to: { type: 'string' }, debug: { type: 'boolean', default: false }, fresh: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } } as const

/** @returns exit code: 0 done, 1 failed, 2 usage */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parse(args)
  const [name, ...more] = parsed?.positionals ?? []
  if (parsed === undefined || parsed.values.help || name === undefined || more.length > 0) {
    const asked = parsed?.values.help === true
    ;(asked ? io.out : io.err).write(usage)
    return asked ? 0 : 2
  }
  try {
    const steps = createSteps((line) => void io.err.write(line))
    const product = name === 'node' ? nodeImage : baseImage(chooseBaseImage(name), parsed.values)
    const { to, data } = parsed.values
    const image = await steps.run(product.what, async () =>
      to === undefined ? product.publish(await clusterInfo(resolve(io.cwd, data)), io.signal) : product.write(parseLocation(to, io.cwd), { cacheDir: resolve(io.cwd, '.tarsk8s/cache'), signal: io.signal }))
    io.out.write(`${image}\n`)
    return 0
  } catch (error) {
    io.err.write(`tarsk8s base: ${describe(error)}\n`)
    return 1
  }
}

function parse(args: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>> | undefined {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch {
    return undefined
  }
}

/** An image that this command makes. */
interface Product {
  /** For the progress line. */
  readonly what: string
  readonly publish: (info: ClusterInfo, signal: AbortSignal) => Promise<string>
  readonly write: (destination: ImageLocation, options: NodeImageOptions) => Promise<string>
}

const nodeImage: Product = {
  what: 'node image',
  publish: ({ kubeconfig, namespace, ...info }, signal) => publishNodeImage(kubeClientFrom({ KUBECONFIG: kubeconfig }), namespace, { ...info, signal }),
  write: async (destination, options) => (await writeNodeImage(destination, options)).image,
}

const baseImage = (base: BaseChoice, { debug, fresh }: Required<Pick<BaseImageOptions, 'debug' | 'fresh'>>): Product => ({
  what: `base image for ${base.name}${debug ? ' with debug tools' : ''}`,
  publish: ({ kubeconfig, namespace, ...info }, signal) => publishBase(kubeClientFrom({ KUBECONFIG: kubeconfig }), namespace, base, { ...info, nodeBinary: process.execPath, debug, fresh, signal }),
  write: async (destination, options) => (await writeBase(base, destination, { ...options, nodeBinary: process.execPath, debug, fresh })).image,
})

async function clusterInfo(dataDir: string): Promise<ClusterInfo> {
  const file = join(dataDir, 'cluster.json')
  try {
    return JSON.parse(await readFile(file, 'utf8')) as ClusterInfo
  } catch (error) {
    throw new Failure('LOCAL_NOT_RUNNING', `${file} cannot be read`, { cause: error, remedy: 'start the cluster with "npm start", or name its directory with --data' })
  }
}
