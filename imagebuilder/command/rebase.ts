import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, Failure } from '#base/errors.ts'
import type { CommandIo } from '#base/command-io.ts'
import { openSource, parseBase } from '../oci/location.ts'
import { parseReference, type ImageReference } from '../oci/reference.ts'
import { Rebaser, type RebasedImage } from '../rebase.ts'
import { registryAccess, signingKeyFor, supervisorsFor } from './access.ts'
import { commonHelp, commonOptions, parseFlags, usage } from './flags.ts'

export const rebaseUsage = `usage: tarsk8s image rebase <image…> [options]
Puts a new base image, or a new supervisor, under images that "tarsk8s image build" made, at their registry.
  <image…>            references; the tag of each moves to its new image
  --from-file FILE    more of them, one a line; "-" for standard input
  --base IMAGE        the new base: a reference, or an OCI layout folder (oci:DIR[:TAG]); default: each image's own
  --supervisor FILE   JSON that describes the supervisor's layer  (default: each image's own; "newest": as for "image build")
  --suffix=TEXT       appended to each tag, e.g. --suffix=-r2; the old image keeps its tag
  --sbom              attach the bill of materials of each image to its new image, too
  --sign-key FILE     sign the new images as cosign does, with such a key  (its password: COSIGN_PASSWORD)
${commonHelp}Exit codes: 0 done, 1 one or more failed, 2 wrong usage.
`

const options = {
  'from-file': { type: 'string' }, base: { type: 'string' }, supervisor: { type: 'string' }, suffix: { type: 'string' }, sbom: { type: 'boolean' }, 'sign-key': { type: 'string' },
  ...commonOptions,
} as const

/** Images under way at once: a rebase waits for the registry most of its time. */
const width = 4

/** What became of one image. */
type Outcome = { readonly name: string } & ({ readonly rebased: RebasedImage } | { readonly error: string })

/** `tarsk8s image rebase …`: one image that fails stops no other. */
export async function rebase(args: readonly string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseFlags(args, options)
  if (values.help === true) {
    io.out.write(rebaseUsage)
    return 0
  }
  const { base, supervisor, suffix = '' } = values
  if (base === undefined && supervisor === undefined) usage('there is nothing to do: give --base, --supervisor, or both')
  if (!/^[A-Za-z0-9._-]*$/.test(suffix)) usage(`--suffix "${suffix}" cannot end a tag: use letters, digits, "_", "." and "-"`)
  const listed = values['from-file'] === undefined ? [] : await lines(values['from-file'], io)
  const images = [...new Set([...positionals, ...listed])].map((name) => ({ name, reference: referenceOf(name, suffix) }))
  if (images.length === 0) usage('the images are missing')
  const access = await registryAccess(values, io)
  const rebaser = new Rebaser({
    access, suffix, signal: io.signal, sbom: values.sbom ?? false, ...(await signingKeyFor(values['sign-key'], io)),
    ...(base !== undefined && { base: openSource(await parseBase(base, io.cwd), access) }),
    ...(supervisor !== undefined && { supervisors: await supervisorsFor(supervisor === 'newest' ? undefined : supervisor, io) }),
  })
  const outcomes = await all(images, rebaser, (outcome) => values.json !== true && say(outcome, io)).finally(() => rebaser.close())
  if (values.json === true) io.out.write(`${JSON.stringify(outcomes.map((outcome) => ('rebased' in outcome ? { name: outcome.name, ...outcome.rebased } : outcome)), null, 2)}\n`)
  return outcomes.every((outcome) => 'rebased' in outcome) ? 0 : 1
}

/** @throws USAGE */
function referenceOf(name: string, suffix: string): ImageReference {
  try {
    const reference = parseReference(name)
    if (reference.tag === '' && suffix !== '') usage(`"${name}" has no tag that --suffix could be appended to`)
    return reference
  } catch (error) {
    return usage(describe(error))
  }
}

async function lines(file: string, io: CommandIo): Promise<string[]> {
  const source = file === '-' ? 0 : resolve(io.cwd, file)
  const text = await (source === 0 ? standardInput() : readFile(source, 'utf8')).catch((cause: unknown) => Promise.reject(new Failure('FILE_UNREADABLE', `--from-file: ${file} cannot be read`, { cause, remedy: 'check the path' })))
  return text.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
}

async function standardInput(): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of process.stdin) parts.push(Buffer.from(part as Buffer))
  return Buffer.concat(parts).toString('utf8')
}

/** A few at a time, in the order given; the outcomes are in that order, too. */
async function all(images: readonly { readonly name: string; readonly reference: ImageReference }[], rebaser: Rebaser, done: (outcome: Outcome) => void): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const rest = images.entries()
  const work = async (): Promise<void> => {
    for (const [index, { name, reference }] of rest) {
      const outcome = await rebaser.rebase(reference).then((rebased): Outcome => ({ name, rebased }), (error: unknown): Outcome => ({ name, error: describe(error) }))
      outcomes[index] = outcome
      done(outcome)
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  return outcomes
}

function say(outcome: Outcome, io: CommandIo): void {
  if ('error' in outcome) return void io.err.write(`${outcome.name}: ${outcome.error}\n`)
  const { image, digest, changed, layers } = outcome.rebased
  const moved = layers.map(({ digest: layer, placement }) => `${layer.slice(7, 19)} ${placement}`).join(', ')
  io.out.write(changed ? `${image}  ${digest}  ${moved || 'configuration only'}\n` : `${image}  ${digest}  has it already\n`)
}
