// `tarsk8s charts package`: the two charts, ready for helm install.
import { resolve } from 'node:path'
import type { CommandIo } from '#base/command-io.ts'
import { misuse, runCommand } from '#base/command.ts'
import { Failure } from '#base/errors.ts'
import { checkVersion, ownVersion } from '../images/version.ts'
import { chartNames } from './charts.ts'
import { packageChart } from './package.ts'

const usage = `usage: tarsk8s charts package [--version V] [--registry R] [--out DIR]
Packs the charts tarscontroller and tarsframework at a version and prints their files.

  --version V     of the charts and of the images that they run        (default: that of this repository)
  --registry R    where "tarsk8s images push" put the images, as the charts' default
  --out DIR       folder of the files                                  (default: this one)
The charts are dated by SOURCE_DATE_EPOCH, where it is set: then the same sources give the same bytes.
Exit codes: 0 done, 1 failed, 2 wrong usage.
`

const options = { version: { type: 'string' }, registry: { type: 'string' }, out: { type: 'string', default: '.' } } as const

/** @returns exit code: 0 done, 1 failed, 2 usage */
export function run(args: readonly string[], io: CommandIo): Promise<number> {
  return runCommand({ name: 'charts', usage, options }, args, io, async ({ values, positionals }) => {
    const [verb, ...more] = positionals
    if (verb !== 'package') throw misuse(verb === undefined ? 'say what to do with charts' : `there is no "charts ${verb}"`)
    if (more.length > 0) throw misuse(`"${more[0]}" is one argument too many`)
    const registry = checkRegistry(values.registry)
    const version = checkVersion(values.version ?? (await ownVersion()))
    for (const name of chartNames) {
      const file = await packageChart(name, resolve(io.cwd, values.out), { version, time: timeOf(io.env['SOURCE_DATE_EPOCH']), ...(registry === undefined ? {} : { registry }) })
      io.out.write(`${file}\n`)
    }
  })
}

/** Where images are: a host and perhaps a path, to which their names are added. */
function checkRegistry(registry: string | undefined): string | undefined {
  if (registry === undefined || /^[A-Za-z0-9.-]+(:\d{1,5})?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/.test(registry)) return registry
  throw misuse(`--registry must be HOST[:PORT][/PATH], not "${registry}" (write it as for "tarsk8s images push", e.g. --registry registry.example/tars)`)
}

/** Whole seconds, as archives have them. */
function timeOf(epoch: string | undefined): string {
  if (epoch !== undefined && !/^\d{1,11}$/.test(epoch)) throw new Failure('ENV_INVALID', `environment variable SOURCE_DATE_EPOCH must be seconds since 1970, not "${epoch}"`, { remedy: 'set it to e.g. the time of the last commit' })
  const seconds = epoch === undefined ? Math.floor(Date.now() / 1000) : Number(epoch)
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}
