// `tarsk8s image inspect` and `validate`: an image is read, and nothing is written.
import type { CommandIo } from '#base/command-io.ts'
import { openSource, parseBase } from '../oci/location.ts'
import { readImage, type BaseImage } from '../oci/source.ts'
import { validateImage } from '../validate.ts'
import { registryAccess } from './access.ts'
import { commonHelp, commonOptions, parseFlags, platformOf, usage } from './flags.ts'

const flags = `  <image>             a reference, an OCI layout folder (oci:DIR[:TAG]), or docker-archive:FILE[:NAME[:TAG]]
  --platform OS/ARCH  which image of a multi-platform one; default the first
${commonHelp}`

export const inspectUsage = `usage: tarsk8s image inspect <image> [options]
Prints what an image is made of.
${flags}Exit codes: 0 done, 1 failed, 2 wrong usage.
`

export const validateUsage = `usage: tarsk8s image validate <image> [options]
Reads every layer of an image to its end, and says what is damaged.
${flags}Exit codes: 0 sound, 1 damaged or not readable, 2 wrong usage.
`

const options = {
  platform: { type: 'string' }, ...commonOptions,
} as const

type Look = (image: BaseImage, json: boolean, io: CommandIo) => Promise<number>

async function look(args: readonly string[], io: CommandIo, help: string, then: Look): Promise<number> {
  const { values, positionals } = parseFlags(args, options)
  if (values.help === true) {
    io.out.write(help)
    return 0
  }
  const [name, ...surplus] = positionals
  if (name === undefined) usage('the image is missing')
  if (surplus.length > 0) usage(`"${surplus[0]}" is one argument too many`)
  const source = openSource(await parseBase(name ?? '', io.cwd), await registryAccess(values, io))
  try {
    const image = await readImage(source, values.platform === undefined ? undefined : platformOf(values.platform), io.signal)
    return await then(image, values.json === true, io)
  } finally {
    source.close()
  }
}

/** `tarsk8s image inspect …` */
export function inspect(args: readonly string[], io: CommandIo): Promise<number> {
  return look(args, io, inspectUsage, async ({ source, digest, manifest, config }, json) => {
    const history = (config.history ?? []).filter((entry) => entry.empty_layer !== true)
    const layers = manifest.layers.map((layer, index) => ({ digest: layer.digest, size: layer.size, mediaType: layer.mediaType, diffId: config.rootfs.diff_ids[index], createdBy: history[index]?.created_by ?? '' }))
    const { Labels: labels = {}, Entrypoint: entrypoint = [], Env: env = [], User: user = '' } = config.config ?? {}
    const platform = `${config.os}/${config.architecture}${config.variant === undefined ? '' : `/${config.variant}`}`
    const size = layers.reduce((sum, layer) => sum + layer.size, 0)
    if (json) {
      io.out.write(`${JSON.stringify({ image: source.name, digest, platform, size, layers, labels, annotations: manifest.annotations ?? {}, entrypoint, env, user }, null, 2)}\n`)
      return 0
    }
    const rows = layers.map((layer) => `  ${layer.digest.slice(7, 19)}  ${megabytes(layer.size)}  ${layer.createdBy}`)
    const named = (title: string, pairs: Readonly<Record<string, string>> | null | undefined): string => Object.entries(pairs ?? {}).map(([key, value], index) => `${(index === 0 ? title : '').padEnd(12)}${key}=${value}\n`).join('')
    io.out.write(`${source.name}\ndigest      ${digest}\nplatform    ${platform}\nsize        ${megabytes(size).trim()}\nentry point ${(entrypoint ?? []).join(' ')}\n${named('labels', labels)}${named('annotations', manifest.annotations)}layers\n${rows.join('\n')}\n`)
    return 0
  })
}

/** `tarsk8s image validate …` */
export function validate(args: readonly string[], io: CommandIo): Promise<number> {
  return look(args, io, validateUsage, async (image, json) => {
    const faults = await validateImage(image, io.signal)
    const { layers } = image.manifest
    if (json) io.out.write(`${JSON.stringify({ image: image.source.name, digest: image.digest, layers: layers.length, faults }, null, 2)}\n`)
    else if (faults.length === 0) io.out.write(`${image.source.name} is sound: ${layers.length} layers, ${image.digest}\n`)
    for (const { layer, fault } of faults) io.err.write(`layer ${layer}: ${fault}\n`)
    return faults.length === 0 ? 0 : 1
  })
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1).padStart(8)} MB`
