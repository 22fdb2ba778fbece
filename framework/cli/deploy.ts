import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { resources } from '#api/resources.ts'
import type { TImage, TServer } from '#api/types.ts'
import { Failure } from '#base/errors.ts'
import { isNotFound } from '#kube/errors.ts'
import { parseConfig } from '#tars/conf.ts'
import { adminClient } from './parts/admin-client.ts'
import { defineCommand, type Input } from './parts/command.ts'
import { widthOf } from './parts/io.ts'
import { parseServerName, shownName, type ServerName } from './parts/names.ts'
import { createProgress } from './parts/progress.ts'
import { waitForRollout, type Goal } from './parts/rollout.ts'
import { parseServant } from './parts/servants.ts'
import { noSet, parseSets } from './parts/sets.ts'
import { statusTable } from './parts/status-table.ts'
import { findImage, type Place } from './parts/timage.ts'
import { changeServer, chooseRelease, newestRelease, newServer, templatesFor, type Wish } from './parts/tserver.ts'

const defaultTimeoutSeconds = 180

export const run = defineCommand(
  {
    name: 'deploy',
    synopsis: '--app APP --server SERVER[/VARIANT] [--release ID] [--servant NAME:PORT[:udp]]… [--set [PODS=]SET]… [--template T] [--replicas N] [--profile FILE] [--no-wait]',
    names: [0, 0],
    options: {
      app: { type: 'string' }, server: { type: 'string' }, release: { type: 'string' }, template: { type: 'string' }, servant: { type: 'string', multiple: true },
      set: { type: 'string', multiple: true }, replicas: { type: 'string' }, profile: { type: 'string' }, timeout: { type: 'string' }, 'no-wait': { type: 'boolean' },
    },
    help: `
Runs a release as a server: makes the server, or changes what is given and leaves the rest. Then waits until all its
pods are active, or says why they are not.

SERVER/VARIANT is a further set of pods of the same server, with settings of its own: a new one is made as SERVER is, but
for what is given.

  --release ID           the release to run, "${newestRelease}" for the newest; default: the one that runs, of a new server the newest
  --servant NAME:PORT    an object that it serves; :udp for UDP, :not_tars for another protocol; may be repeated, and
                         replaces all that there were
  --set [PODS=]SET       set NAME.AREA.GROUP of its pods, or of some by number, e.g. 0-3,7=mall.sz.1; may be repeated, the
                         later counts, and replaces all that there were; ${noSet} for no set. A pod learns of its set when it
                         starts, callers at once
  --template T           configuration template; default: the one of the release's type
  --replicas N           pods, default 1
  --profile FILE         configuration text over the template's
  --timeout SECONDS      how long to wait for each pod, default ${defaultTimeoutSeconds}
  --no-wait              does not wait`,
  },
  async (input) => {
    const { flags, io, cluster } = input
    const name = parseServerName(`${flags.required('app', 'Demo')}.${flags.required('server', 'HelloServer')}`)
    const timeoutMs = (flags.whole('timeout', [1, 86_400]) ?? defaultTimeoutSeconds) * 1000
    const place: Place = { client: cluster.kube(), namespace: cluster.namespace, signal: io.signal }
    try {
      const { spec: { release }, metadata: { generation } } = await apply(input, name, place)
      if (flags.on('no-wait')) return
      await follow(input, name, { releaseId: release?.id, generation, timeoutMs })
    } finally {
      place.client.close()
    }
  },
)

/** Makes or changes the TServer. @returns what it is then */
async function apply(input: Input, name: ServerName, place: Place): Promise<TServer> {
  const { client, namespace, signal } = place
  const { err } = input.io
  const [known, like, image] = await Promise.all([findServer(place, name.object), name.variant === undefined ? undefined : findServer(place, name.first), findImage(place, name.first)])
  const wish = await wishOf(input, place, known ?? like, image)
  const shown = shownName(name)
  if (known === undefined) {
    if ((wish.release ?? like?.spec.release) === undefined) throw new Failure('RELEASE_UNKNOWN', `${shown} has no release`, { remedy: 'make one with "tarsk8s release"' })
    const created = await client.create(resources.tservers, newServer(name, namespace, wish, like) as TServer, { signal })
    err.write(`${shown} made, release ${created.spec.release?.id}\n`)
    return created
  }
  const changed = await changeServer(place, known, wish)
  const running = changed.spec.release?.id
  err.write(`${shown} ${changed === known ? 'is unchanged' : 'changed'}, release ${running ?? 'none'}${wish.release === undefined ? newerHint(image, running) : ''}\n`)
  return changed
}

/** @param known the server, or what a new one is made after */
async function wishOf({ flags, io }: Input, place: Place, known: TServer | undefined, image: TImage | undefined): Promise<Wish> {
  return {
    release: chooseRelease(image, flags.text('release'), known),
    template: flags.text('template') ?? (known === undefined ? await firstTemplate(place, templatesFor(image)) : undefined),
    servants: flags.list('servant').map(parseServant),
    sets: parseSets(flags.list('set')),
    replicas: flags.whole('replicas', [0, 99]),
    profile: await readProfile(flags.text('profile'), io.cwd),
    now: new Date().toISOString(),
  }
}

function newerHint(image: TImage | undefined, running: string | undefined): string {
  const newest = image?.releases?.[0]?.id
  return newest === undefined || newest === running ? '' : ` (the newest is ${newest}: --release ${newestRelease} takes it)`
}

async function findServer({ client, namespace, signal }: Place, name: string): Promise<TServer | undefined> {
  try {
    return await client.get(resources.tservers, { namespace, name }, { signal })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function firstTemplate({ client, namespace, signal }: Place, names: readonly string[]): Promise<string | undefined> {
  const { items } = await client.list(resources.ttemplates, { namespace, signal })
  return names.find((name) => items.some(({ metadata }) => metadata.name === name))
}

async function readProfile(file: string | undefined, cwd: string): Promise<string | undefined> {
  if (file === undefined) return undefined
  const path = resolve(cwd, file)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Failure('PROFILE_UNREADABLE', `${path} cannot be read`, { cause, remedy: 'name an existing file with --profile' })
  })
  try {
    parseConfig(text)
  } catch (cause) {
    throw new Failure('PROFILE_INVALID', `${path} is no configuration text`, { cause })
  }
  return text
}

async function follow({ io, cluster }: Input, { object }: ServerName, goal: Pick<Goal, 'releaseId' | 'generation' | 'timeoutMs'>): Promise<void> {
  const progress = createProgress(io.err)
  try {
    const row = await waitForRollout(adminClient(cluster.adminUrl(), io.signal), { ...goal, object, signal: io.signal, onChange: (text) => progress.step(text) })
    progress.end()
    io.out.write(statusTable([row], Date.now(), widthOf(io.out)))
  } finally {
    progress.end()
  }
}
