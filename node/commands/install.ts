import { chmodSync, copyFileSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { CommandIo } from '#base/command-io.ts'
import { environmentFile, environmentText, serverVariables } from '../container/injected.ts'
import { parseEnvironment } from '../env.ts'
import { launcher } from '../launcher.ts'
import { launcherPath, supervisorCommand, type Architecture } from '../layout.ts'

const usage = `usage: tarsk8s node install

Copies the supervisor into the volume at the work folder, for the pod's other containers; the command of an init container.
`

/** Variables that an init container hands on: what the pod is, and every setting of tarsnode. */
const handedOn = /^(Namespace|PodName|PodIP|ServerApp|ServerName|ServerVariant|LauncherType|TARSNODE_\w+)$/

/**
 * Puts a copy of the supervisor where K8SFramework's images look for theirs (spec A.2): their /bin/entrypoint.sh runs
 * util/start.sh. The launcher appears last, so that whoever finds it finds all.
 */
export async function run(args: readonly string[], { out, env }: CommandIo): Promise<number> {
  if (args.length > 0) {
    out.write(usage)
    return args[0] === '--help' ? 0 : 2
  }
  // The type is in the image of the service, and nothing here depends on it.
  const settings = parseEnvironment({ ...env, ServerType: 'not-tars' })
  const to = settings.layout.workDir
  const from = dirname(process.argv[1] ?? '')
  copyTree(from, to)
  for (const folder of ['conf', 'data', 'util']) mkdirSync(join(to, folder), { recursive: true })
  const variables = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined && handedOn.test(entry[0])))
  writeFileSync(environmentFile(to), environmentText({ ...variables, ...serverVariables(settings) }))
  writeExecutable(join(to, 'util', 'start.sh'), `#!/bin/sh\nexec ${launcherPath(to)} node\n`)
  const arch = process.arch as Architecture
  const program = launcher(arch, supervisorCommand(arch, to), { hides: true })
  // The name that the reference's supervisor has.
  writeExecutable(join(to, 'bin', 'tarsnode'), program)
  writeExecutable(launcherPath(to), program)
  out.write(`tarsnode is in ${to}\n`)
  return 0
}

/** Copies files and folders; the launcher is made anew, because it names the place it is for. */
function copyTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) copyTree(source, target)
    else if (source !== launcherPath(dirname(from))) replace(target, statSync(source).mode, (path) => copyFileSync(source, path))
  }
}

const writeExecutable = (path: string, content: string | Buffer): void => replace(path, 0o755, (temporary) => writeFileSync(temporary, content))

/** As a whole or not at all: a container may be running the file that is there. */
function replace(path: string, mode: number, write: (temporary: string) => void): void {
  const temporary = `${path}.tmp`
  write(temporary)
  chmodSync(temporary, mode & 0o777)
  renameSync(temporary, path)
}
