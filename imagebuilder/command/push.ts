import type { CommandIo } from '#base/command-io.ts'
import { copyImage } from '../copy.ts'
import { openDestination, openSource, parseBase } from '../oci/location.ts'
import { registryAccess } from './access.ts'
import { commonHelp, commonOptions, parseFlags, platformOf, target, usage } from './flags.ts'

export const pushUsage = `usage: tarsk8s image push <source> <destination> [options]
Copies an image as it is, with all its platforms; layers that the destination has are not sent.
  <source>            a reference, an OCI layout folder (oci:DIR[:TAG]), or docker-archive:FILE[:NAME[:TAG]]
  <destination>       a reference, oci:DIR[:TAG], docker-archive:FILE[:NAME[:TAG]], or docker:NAME
  --platform OS/ARCH  only this one of several
${commonHelp}Exit codes: 0 done, 1 failed, 2 wrong usage.
`

const options = {
  platform: { type: 'string' }, ...commonOptions,
} as const

/** `tarsk8s image push …` */
export async function push(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, options)
  if (values.help === true) {
    io.out.write(pushUsage)
    return 0
  }
  const [from = usage('the source is missing'), to = usage('the destination is missing'), ...surplus] = positionals
  if (surplus.length > 0) usage(`"${surplus[0]}" is one argument too many`)
  const access = await registryAccess(values, io)
  const platform = values.platform === undefined ? {} : { platform: platformOf(values.platform) }
  const place = target(to, undefined, io.cwd)
  const source = openSource(await parseBase(from, io.cwd), access)
  const destination = await openDestination(place, access)
  try {
    const copied = await copyImage(source, destination, { ...platform, signal: io.signal })
    const moved = copied.layers.map((layer) => `  ${layer.digest.slice(7, 19)}  ${(layer.size / 1e6).toFixed(1).padStart(8)} MB  ${layer.placement}\n`)
    io.out.write(values.json === true ? `${JSON.stringify(copied, null, 2)}\n` : `${copied.image}\ndigest ${copied.digest}\nlayers\n${moved.join('')}`)
    return 0
  } finally {
    source.close()
    await destination.close()
  }
}
