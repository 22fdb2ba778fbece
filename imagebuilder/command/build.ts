import { resolve } from 'node:path'
import { buildImage, type BuiltImage } from '../build.ts'
import type { Codec } from '../compression/codec.ts'
import { codecs } from '../compression/codecs.ts'
import { packageLimits } from '../env.ts'
import { checkApp, checkServer, checkServerType } from '../names.ts'
import { parseBase } from '../oci/location.ts'
import { serverTypes } from '../package/preflight.ts'
import { registryAccess, signingKeyFor, supervisorsFor } from './access.ts'
import type { CommandIo } from '#base/command-io.ts'
import { checked, commonHelp, commonOptions, parseFlags, platformOf, target, usage } from './flags.ts'
import { meterFor } from './meter.ts'

export const buildUsage = `usage: tarsk8s image build <package> --app APP --server SERVER --type TYPE --base IMAGE --to IMAGE [options]
  <package>           release package: tgz, tar, tar.zst, zip, jar or war
  --type TYPE         ${serverTypes.join(', ')}
  --base IMAGE        base image: a reference, or an OCI layout folder (oci:DIR[:TAG])
  --to IMAGE          where it goes: a reference, oci:DIR[:TAG], docker-archive:FILE[:NAME[:TAG]], or docker:NAME
  --entrance SCRIPT   what a php or python server is started from, where its profile names another script than the usual one
  --tag TAG           tag, where --to has none
  --supervisor FILE   JSON that describes the supervisor's layer  (or TARSIMAGE_SUPERVISOR; default: made by "tarsk8s up")
  --label KEY=VALUE   label and annotation of the image; may be repeated
  --compression NAME  gzip (default) or zstd, of the package's layer
  --sbom              attach a bill of materials (CycloneDX) to the image, where it goes to a registry
  --sign-key FILE     sign the image as cosign does, with such a key  (its password: COSIGN_PASSWORD)
  --platform OS/ARCH  may be repeated, for a list of images  (default: each that base, supervisor and package are there for)
${commonHelp}Exit codes: 0 done, 1 failed, 2 wrong usage.
`

const options = {
  app: { type: 'string' }, server: { type: 'string' }, type: { type: 'string' }, base: { type: 'string' }, to: { type: 'string' }, tag: { type: 'string' }, entrance: { type: 'string' },
  supervisor: { type: 'string' }, platform: { type: 'string', multiple: true }, label: { type: 'string', multiple: true }, compression: { type: 'string', default: 'gzip' }, sbom: { type: 'boolean' }, 'sign-key': { type: 'string' }, ...commonOptions,
} as const

/** `tarsk8s image build …`: a package becomes an image, without a cluster. */
export async function build(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, options)
  if (values.help === true) {
    io.out.write(buildUsage)
    return 0
  }
  const required = (flag: 'app' | 'server' | 'type' | 'base' | 'to'): string => values[flag] ?? usage(`--${flag} is missing`)
  const [file, ...surplus] = positionals
  if (file === undefined) usage('the package is missing')
  if (surplus.length > 0) usage(`"${surplus[0]}" is one argument too many`)
  const names = { app: checked(() => checkApp('--app', required('app'))), server: checked(() => checkServer('--server', required('server'))), serverType: checked(() => checkServerType('--type', required('type'))) }
  const destination = target(required('to'), values.tag, io.cwd)
  const platforms = values.platform?.flatMap((list) => list.split(',')).map((one) => platformOf(one))
  const base = await parseBase(required('base'), io.cwd)
  const meter = meterFor(io.err)
  try {
    const built = await buildImage({
      ...names, ...(values.entrance === undefined ? {} : { entrances: [values.entrance] }), package: resolve(io.cwd, file ?? ''), base, destination, ...(platforms && { platforms }), labels: labelsOf(values.label ?? []), codec: codecOf(values.compression), sbom: values.sbom ?? false, ...(await signingKeyFor(values['sign-key'], io)), limits: packageLimits(io.env), signal: io.signal,
      supervisors: await supervisorsFor(values.supervisor, io), access: await registryAccess(values, io), onProgress: (progress) => meter.at(progress),
    })
    meter.end()
    io.out.write(values.json === true ? `${JSON.stringify(built, null, 2)}\n` : summary(built))
    return 0
  } finally {
    meter.end()
  }
}

/** @throws USAGE */
function codecOf(name: string): Codec {
  return codecs.find((codec) => codec.name === name) ?? usage(`--compression "${name}" is neither gzip nor zstd`)
}

/** @throws USAGE */
function labelsOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=')
      if (equals < 1) usage(`--label "${pair}" is not KEY=VALUE`)
      return [pair.slice(0, equals), pair.slice(equals + 1)]
    }),
  )
}

function summary(built: BuiltImage): string {
  const moved = built.layers.map((layer) => `  ${layer.digest.slice(7, 19)}  ${(layer.size / 1e6).toFixed(1).padStart(8)} MB  ${layer.placement}`)
  return `${built.image}\ndigest ${built.digest}\nlayers\n${moved.join('\n')}\n`
}
