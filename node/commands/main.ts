import type { CommandIo } from '#base/command-io.ts'

type Command = (args: readonly string[], io: CommandIo) => Promise<number>

const commands: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<{ readonly run: Command }> }>> = {
  status: { summary: 'what the supervisor knows of its service', load: () => import('./status.ts') },
  exec: { summary: 'run a program with the environment of the service', load: () => import('./exec.ts') },
  top: { summary: 'the processes of the container', load: () => import('./top.ts') },
  install: { summary: 'copy the supervisor into the pod, as an init container', load: () => import('./install.ts') },
}

const usage = `usage: tarsk8s node                        supervise the service, as PID 1
${Object.entries(commands).map(([name, { summary }]) => `       tarsk8s node ${name.padEnd(22)}${summary}\n`).join('')}`

/** `tarsk8s node <name> …` in a container. @returns the exit code: 0 done, 1 failed, 2 wrong usage */
export async function runCommand(name: string, args: readonly string[], io: CommandIo): Promise<number> {
  const command = commands[name]
  if (command !== undefined) return (await command.load()).run(args, io)
  const asked = name === '--help' || name === 'help'
  ;(asked ? io.out : io.err).write(asked ? usage : `tarsk8s node: there is no command "${name}"\n${usage}`)
  return asked ? 0 : 2
}
