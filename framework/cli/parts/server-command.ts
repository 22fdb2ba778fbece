import type { ServerCommand } from '../../admin/contract.ts'
import { adminClient } from './admin-client.ts'
import { defineCommand } from './command.ts'
import { exit, type Run } from './io.ts'
import { parseServerName, shownName } from './names.ts'

const done: Readonly<Record<ServerCommand, string>> = { start: 'starting', stop: 'stopping', restart: 'restarting' }

/** `start`, `stop` and `restart`: the same but for the word. */
export function serverCommand(command: ServerCommand, help: string): Run {
  return defineCommand(
    { name: command, synopsis: '<App.Server[/variant]> [--pod NAME]', names: [1, 1], options: { pod: { type: 'string' } }, help: `${help}\n\n  --pod NAME  only in this pod; without it, in all of them` },
    async ({ names: [name = ''], flags, io, cluster }) => {
      const server = parseServerName(name)
      const { results } = await adminClient(cluster.adminUrl(), io.signal).command(server.object, command, flags.text('pod'))
      for (const { pod, ok, message } of results) io.out.write(ok ? `${pod}: ${done[command]}\n` : `${pod}: failed: ${message}\n`)
      if (results.length === 0) io.err.write(`${shownName(server)} has no pods: "tarsk8s status ${shownName(server)}" says why\n`)
      return results.length > 0 && results.every(({ ok }) => ok) ? exit.ok : exit.failed
    },
  )
}
