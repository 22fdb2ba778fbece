import type { CommandIo } from '#base/command-io.ts'
import { Failure, describe } from '#base/errors.ts'
import type { AdminClient } from './parts/admin-client.ts'
import { adminClient } from './parts/admin-client.ts'
import { defineCommand } from './parts/command.ts'
import { exit } from './parts/io.ts'
import { writeLines } from './parts/lines.ts'
import { parseServerName } from './parts/names.ts'

export const run = defineCommand(
  {
    name: 'logs',
    synopsis: '<App.Server[/variant] | pod> [-f] [--tail N] [--previous]',
    names: [1, 1],
    options: { follow: { type: 'boolean', short: 'f' }, tail: { type: 'string' }, previous: { type: 'boolean', short: 'p' } },
    help: `
Prints what a pod wrote to its standard output and error. Of a server with several pods, each line begins with its pod.

  -f, --follow    goes on until Ctrl-C or until the pods end
  --tail N        only the last N lines
  -p, --previous  of the container before the last restart`,
  },
  async ({ names: [name = ''], flags, io, cluster }) => {
    const admin = adminClient(cluster.adminUrl(), io.signal)
    const pods = name.includes('.') ? await podsOf(admin, name) : [name]
    const options = { follow: flags.on('follow'), tail: flags.whole('tail', [0, 1_000_000]), previous: flags.on('previous') }
    const results = await Promise.all(pods.map((pod) => printLog({ admin, pod, io, prefix: pods.length > 1 ? `${pod} | ` : '' }, options)))
    return results.every(Boolean) ? exit.ok : exit.failed
  },
)

async function podsOf(admin: AdminClient, name: string): Promise<string[]> {
  const { object } = parseServerName(name)
  const row = await admin.server(object)
  if (row === undefined) throw new Failure('SERVER_UNKNOWN', `there is no server ${name}`, { remedy: '"tarsk8s status" shows all' })
  if (row.pods.length === 0) throw new Failure('POD_UNKNOWN', `${name} has no pods: ${row.message === '' ? row.state : row.message}`)
  return row.pods.map((pod) => pod.name)
}

interface Source {
  readonly admin: AdminClient
  readonly pod: string
  readonly prefix: string
  readonly io: CommandIo
}

/** @returns false when it failed; the other pods' logs go on */
async function printLog({ admin, pod, prefix, io }: Source, options: Parameters<AdminClient['logs']>[1]): Promise<boolean> {
  try {
    await writeLines(await admin.logs(pod, options), prefix, io.out)
    return true
  } catch (error) {
    if (io.signal.aborted) return true
    io.err.write(`tarsk8s logs: ${pod}: ${describe(error)}\n`)
    return false
  }
}
