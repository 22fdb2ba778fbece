import { stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, resolve } from 'node:path'
import { serverTypes } from '#api/schema/others.ts'
import { Failure } from '#base/errors.ts'
import { defineCommand, usageError, type Input } from './parts/command.ts'
import { postForm, type UploadAnswer } from './parts/multipart.ts'
import { parseServerName, type ServerName } from './parts/names.ts'
import { createProgress, type Progress } from './parts/progress.ts'
import { chooseBase, ensureImage, followBuild, removeUnused, type Place } from './parts/timage.ts'

const suffixes = ['.tgz', '.tar.gz', '.war', '.jar'] as const

export const run = defineCommand(
  {
    name: 'release',
    synopsis: '<package> --app APP --server SERVER --type TYPE [--base-image IMAGE] [--entrance SCRIPT] [--tag TAG] [--mark TEXT] [--json]',
    names: [1, 1],
    options: {
      app: { type: 'string' }, server: { type: 'string' }, type: { type: 'string' }, 'base-image': { type: 'string' }, entrance: { type: 'string' },
      tag: { type: 'string' }, mark: { type: 'string' }, person: { type: 'string' }, json: { type: 'boolean' },
    },
    help: `
Turns a release package (${suffixes.join(', ')}) into an image and keeps it as a release of the server. Nothing is
deployed: "tarsk8s deploy" does that.

  --type TYPE         ${serverTypes.join(', ')}
  --base-image IMAGE  what it stands on; default: the cluster's base image for the type
  --entrance SCRIPT   what a php or python server is started from, where the key entrance of its profile names
                      another script than the usual one
  --tag TAG           id of the release and tag of the image; default: made of the time
  --mark TEXT         a remark
  --person NAME       who makes it; default: the user of this machine
  --json              prints the release as JSON`,
  },
  async (input) => {
    const { names: [file = ''], flags, io } = input
    const path = resolve(io.cwd, file)
    const size = await packageSize(path)
    const name = parseServerName(`${flags.required('app', 'Demo')}.${flags.required('server', 'HelloServer')}`)
    if (name.variant !== undefined) throw usageError(`releases are of ${name.app}.${name.server}, whichever variant runs them`, `leave /${name.variant} out, and deploy the release with it`)
    const place: Place = { client: input.cluster.kube(), namespace: input.cluster.namespace, signal: io.signal }
    const progress = createProgress(io.err)
    try {
      const fields = await formFields(input, name, place)
      const id = await begin(input, place, { path, size, name, fields }, progress)
      const release = await followBuild(place, name.object, id, ({ phase = '', message = '' }) => progress.step(`${phase.toLowerCase()}${message === '' ? '' : `: ${message}`}`))
      progress.end()
      io.out.write(flags.on('json') ? `${JSON.stringify({ id: release.id, image: release.image })}\n` : `release ${release.id}\nimage   ${release.image}\n`)
    } finally {
      progress.end()
      place.client.close()
    }
  },
)

async function packageSize(path: string): Promise<number> {
  if (!suffixes.some((suffix) => path.endsWith(suffix))) throw usageError(`${basename(path)} is no release package`, `its name must end in ${suffixes.join(', ')}`)
  const info = await stat(path).catch((cause: unknown) => {
    throw new Failure('PACKAGE_UNREADABLE', `${path} cannot be read`, { cause, remedy: 'name an existing package' })
  })
  if (!info.isFile() || info.size === 0) throw new Failure('PACKAGE_UNREADABLE', `${path} is ${info.isFile() ? 'empty' : 'no file'}`, { remedy: 'name the packed file' })
  return info.size
}

async function formFields({ flags }: Input, { app, server }: ServerName, place: Place): Promise<Record<string, string>> {
  const type = flags.required('type', 'nodejs')
  if (!serverTypes.some((known) => known === type)) throw usageError(`--type ${type} is unknown`, `use one of ${serverTypes.join(', ')}`)
  const base = await chooseBase(place, type, flags.text('base-image'))
  const given = { ServerTag: flags.text('tag'), Entrance: flags.text('entrance'), BaseImage: base, Mark: flags.text('mark'), CreatePerson: flags.text('person') ?? userName() }
  const filled = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return { ServerApp: app, ServerName: server, ServerType: type, ...Object.fromEntries(filled) }
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return ''
  }
}

interface Package {
  readonly path: string
  readonly size: number
  readonly name: ServerName
  readonly fields: Readonly<Record<string, string>>
}

/** Uploads the package to the server's TImage, which is made if need be and does not stay when the package is refused. */
async function begin(input: Input, place: Place, file: Package, progress: Progress): Promise<string> {
  const made = await ensureImage(place, file.name)
  try {
    return await upload(input, file, progress)
  } catch (error) {
    if (made !== undefined) await removeUnused(place, made)
    throw error
  }
}

/** @returns the id of the release that is being built */
async function upload({ cluster, io }: Input, { path, size, name: { object }, fields }: Package, progress: Progress): Promise<string> {
  progress.step(`uploading ${basename(path)}`)
  const answer = await postForm({
    url: `${cluster.imageUrl().replace(/\/+$/, '')}/api/v1beta3/timage/${encodeURIComponent(object)}/building`,
    fields,
    file: { field: 'ServerFile', path, name: basename(path), size },
    onProgress: (sent) => progress.part(sent, size),
    signal: io.signal,
  })
  return acceptedId(answer)
}

/** Reply of node-and-image C.1: `{status, message, result: {id, image, …}}`. */
function acceptedId({ status, text }: UploadAnswer): string {
  let reply: { message?: unknown; result?: { id?: unknown } } = {}
  try {
    reply = JSON.parse(text) as typeof reply
  } catch {
    // not tarsimage: a proxy answered
  }
  if (status < 300 && typeof reply.result?.id === 'string') return reply.result.id
  throw new Failure('PACKAGE_REFUSED', typeof reply.message === 'string' ? reply.message : `tarsimage answered ${status}: ${text.slice(0, 200)}`)
}
