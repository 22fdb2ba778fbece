// The only dispatcher: `tarsk8s <role>[,<role>…]` runs parts of the framework, `tarsk8s <command> …` is what operators type.
// Everything is loaded lazily, so that a role pays only for itself.
import { setFlagsFromString } from 'node:v8'
import type { CommandIo } from '#base/command-io.ts'
import { describe } from '#base/errors.ts'
import { Lifetime, type Role, type Running } from '#base/lifecycle.ts'
import { createLogger } from '#base/log.ts'

/** Exit codes: 0 done, 1 failed, 2 wrong usage. */
type Command = (args: readonly string[], io: CommandIo) => Promise<number>

const roles: Readonly<Record<string, () => Promise<{ start: Role }>>> = {
  controller: () => import('./controller/role.ts'),
  registry: () => import('./registry/role.ts'),
  config: () => import('./config/role.ts'),
  notify: () => import('./notify/role.ts'),
  stat: () => import('./stat/role.ts'),
  property: () => import('./property/role.ts'),
  querystat: () => import('./query/querystat.ts'),
  queryproperty: () => import('./query/queryproperty.ts'),
  kevent: () => import('./kevent/role.ts'),
  log: () => import('./log/role.ts'),
  image: () => import('../imagebuilder/role.ts'),
  admin: () => import('./admin/role.ts'),
  adminregistry: () => import('./admin/adminreg/role.ts'),
  agent: () => import('./agent/role.ts'),
}

/** V8's options of a role that has the process to itself. */
const v8Options: Readonly<Record<string, string>> = {
  // Buffers that come and go count as growth of the heap, and after so much of it all is marked: by default once a package.
  image: '--heap-growing-percent=100',
}

const commands: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<{ run: Command }> }>> = {
  up: { summary: 'run a whole cluster on this machine', load: () => import('./local/command.ts') },
  release: { summary: 'turn a release package into an image', load: () => import('./cli/release.ts') },
  deploy: { summary: 'run a release as a service', load: () => import('./cli/deploy.ts') },
  status: { summary: 'what runs, and what is wrong with it', load: () => import('./cli/status.ts') },
  logs: { summary: 'output of a service', load: () => import('./cli/logs.ts') },
  start: { summary: 'start a service again', load: () => import('./cli/start.ts') },
  stop: { summary: 'stop a service', load: () => import('./cli/stop.ts') },
  restart: { summary: 'restart a service', load: () => import('./cli/restart.ts') },
  call: { summary: 'call a function of a servant', load: () => import('./cli/call.ts') },
  base: { summary: 'build the base image of a language, or the node image', load: () => import('./local/base-command.ts') },
  image: { summary: 'build images without a cluster: image build <package> …', load: () => import('./local/image-command.ts') },
  seed: { summary: 'create or upgrade the settings of a framework; the chart runs it', load: () => import('./seed/command.ts') },
  images: { summary: 'build and push what a cluster pulls: images push <registry>', load: () => import('./images/images-command.ts') },
  charts: { summary: 'pack the Helm charts: charts package', load: () => import('./charts/charts-command.ts') },
}

const usage = `usage: tarsk8s <command> [arguments]     (each has --help)
${Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(9)} ${summary}`).join('\n')}
   or: tarsk8s <role>[,<role>…]          roles: ${Object.keys(roles).join(', ')}
`

const stopped = new AbortController()
const [first = '', ...rest] = process.argv.slice(2)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // Asked twice, it ends at once; what it started ends with it, and the next start cleans up.
    if (stopped.signal.aborted) process.exit(1)
    stopped.abort(new Error(`stopped by ${signal}`))
  })
}
// The launcher's channel closes when the launcher is killed; then this process must not stay behind.
process.on('disconnect', () => stopped.abort(new Error('the launching process has ended')))
process.channel?.unref()

/** Runs roles side by side in this process until a signal or until one of them breaks. */
async function runRoles(names: readonly string[]): Promise<number> {
  const log = createLogger({ format: process.stderr.isTTY ? 'text' : 'json' })
  const all = new Lifetime()
  stopped.signal.addEventListener('abort', () => void all.stop().catch(() => {}))
  const start = async (name: string): Promise<Running> => {
    const { start: role } = await (roles[name] ?? unknown(name))()
    return role({ env: process.env, log: log.child({ role: name }), signal: stopped.signal })
  }
  const options = names.length === 1 ? v8Options[first] : undefined
  if (options !== undefined) setFlagsFromString(options)
  for (const name of names) all.own(await start(name))
  await all.done
  return 0
}

function unknown(name: string): never {
  throw new Error(`unknown role "${name}"; roles: ${Object.keys(roles).join(', ')}`)
}

async function main(): Promise<number> {
  if (first === '' || first === 'help' || first === '--help' || first === '-h') {
    process.stdout.write(usage)
    return first === '' ? 2 : 0
  }
  const names = first.split(',')
  // "image" is both: a role where a pod says what its namespace is, else a command.
  const isRole = names.every((name) => name in roles) && rest.length === 0 && !(first in commands && process.env['Namespace'] === undefined)
  if (isRole) return runRoles(names)
  const command = commands[first]
  if (command === undefined) {
    process.stderr.write(`tarsk8s: unknown command or role "${first}"\n${usage}`)
    return 2
  }
  const { run } = await command.load()
  return run(rest, { out: process.stdout, err: process.stderr, env: process.env, signal: stopped.signal, cwd: process.cwd() })
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`tarsk8s: ${describe(error)}\n`)
  process.exitCode = 1
}
process.exit()
