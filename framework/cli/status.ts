import { setTimeout as delay } from 'node:timers/promises'
import type { CommandIo } from '#base/command-io.ts'
import { describe, Failure } from '#base/errors.ts'
import type { ServerList, ServerRow } from '../admin/contract.ts'
import { adminClient } from './parts/admin-client.ts'
import { defineCommand, usageError } from './parts/command.ts'
import { isTerminal, widthOf } from './parts/io.ts'
import { statusTable } from './parts/status-table.ts'

/** Milliseconds between two looks with --watch. */
const watchMs = 1000
/** Knowledge older than this is said to be old. */
const staleMs = 180_000

export const run = defineCommand(
  {
    name: 'status',
    synopsis: '[App[.Server[/variant]]] [--json] [--watch]',
    names: [0, 1],
    options: { json: { type: 'boolean' }, watch: { type: 'boolean', short: 'w' } },
    help: `
Shows servers and their pods: all of them, those of an application, or one server with its variants, or one of these.

  --json       the same as JSON; exit code 0 whatever the state
  -w, --watch  shows it again at every change until Ctrl-C`,
  },
  async ({ names: [name], flags, io, cluster }) => {
    const admin = adminClient(cluster.adminUrl(), io.signal)
    const filter = parseFilter(name)
    const look = async () => {
      const list = await admin.servers(filter)
      if (list.servers.length === 0 && name !== undefined) throw new Failure('SERVER_UNKNOWN', `there is no server ${name}`, { remedy: '"tarsk8s status" shows all; "tarsk8s deploy" makes one' })
      return list
    }
    const print = flags.on('json') ? (list: ServerList) => `${JSON.stringify(list, null, 2)}\n` : (list: ServerList) => statusText(list, io)
    if (flags.on('watch')) return watch(look, print, io)
    io.out.write(print(await look()))
  },
)

function parseFilter(name: string | undefined): { readonly app?: string; readonly server?: string; readonly variant?: string } {
  if (name === undefined) return {}
  const [full = '', variant, ...more] = name.split('/')
  const [app = '', server, ...rest] = full.split('.')
  if (app === '' || server === '' || variant === '' || (variant !== undefined && server === undefined) || rest.length + more.length > 0) throw usageError(`"${name}" is neither App nor App.Server nor App.Server/variant`)
  return { app, ...(server === undefined ? {} : { server }), ...(variant === undefined ? {} : { variant }) }
}

function statusText({ servers, ageMs }: ServerList, io: CommandIo): string {
  const old = ageMs > staleMs ? `note: tarsadmin has not heard from the Kubernetes API for ${Math.round(ageMs / 1000)} s\n` : ''
  return old + (servers.length === 0 ? 'no servers: "tarsk8s deploy" makes one\n' : statusTable(servers as readonly ServerRow[], Date.now(), widthOf(io.out)))
}

/** Redraws a terminal's screen; elsewhere it prints again when something changed. Outages are told and waited out. */
async function watch(look: () => Promise<ServerList>, print: (list: ServerList) => string, io: CommandIo): Promise<number> {
  const clear = isTerminal(io.out) ? '\u001b[H\u001b[2J' : ''
  let shown = ''
  const show = (facts: string, text: string, out: NodeJS.WritableStream) => {
    if (facts !== shown || clear !== '') out.write(clear + text)
    shown = facts
  }
  for (let first = true; !io.signal.aborted; first = false) {
    try {
      const list = await look()
      show(JSON.stringify(list.servers), print(list), io.out)
    } catch (error) {
      if (io.signal.aborted) break
      if (first) throw error
      show(describe(error), `${describe(error)}\n`, io.err)
    }
    await delay(watchMs, undefined, { signal: io.signal }).catch(() => {})
  }
  return 0
}
