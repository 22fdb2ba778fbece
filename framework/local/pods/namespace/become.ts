import { accessSync, constants, mkdirSync, statSync } from 'node:fs'
import { constants as system } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import type { Libc } from './libc.ts'
import { launchFds } from './plan.ts'
import type { LaunchPlan } from './plan.ts'

const lastCapability = 63
const standardInput = 0

/** Takes the capabilities away that the plan does not keep, and becomes its user. */
export function dropPrivileges(libc: Libc, plan: LaunchPlan): void {
  mkdirSync(plan.cwd, { recursive: true }) // Kubernetes and Docker create a working directory that the image lacks
  const keep = plan.capabilities
  if (keep !== null) {
    for (let capability = 0; capability <= lastCapability; capability++) if (!keep.includes(capability)) libc.dropCapability(capability)
  }
  if (!plan.userNamespace || plan.user.uid !== 0) becomeUser(plan)
  process.chdir(plan.cwd)
  if (plan.noNewPrivileges) libc.forbidNewPrivileges()
  // a change of user clears it (prctl(2)): nothing may outlive the runner
  libc.setParentDeathSignal(system.signals.SIGKILL)
}

function becomeUser({ user, userNamespace }: LaunchPlan): void {
  if (!userNamespace) process.setgroups?.([...user.groups])
  process.setgid?.(user.gid)
  process.setuid?.(user.uid)
}

/** execve of the plan's program; `announce` is called when nothing but the exec itself is left to fail. */
export function becomeProgram(libc: Libc, plan: LaunchPlan, announce: () => void): void {
  const file = findProgram(plan.argv[0] ?? '', plan)
  // Node ignores these, and ignored signals survive exec
  for (const signal of [system.signals.SIGPIPE, system.signals.SIGXFSZ]) libc.defaultSignal(signal)
  libc.closeOnExec(standardInput, false) // Node marks even this
  announce()
  useOutputs(libc)
  libc.execute(file, plan.argv, plan.env)
}

/** Until here, standard error was the launcher's and unshare's own; now it is the program's. */
function useOutputs(libc: Libc): void {
  for (const [fd, target] of [[launchFds.stdout, 1], [launchFds.stderr, 2]] as const) {
    libc.duplicate(fd, target)
    libc.closeOnExec(fd, true)
  }
}

/** As execvp(3) does: a name with a slash is a path, any other is looked for on the container's PATH. */
export function findProgram(name: string, plan: Pick<LaunchPlan, 'cwd' | 'env'>): string {
  if (name.includes('/')) {
    const path = resolve(plan.cwd, name)
    refuseUnlessExecutable(path)
    return path
  }
  const path = plan.env.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? ''
  const found = path
    .split(':')
    .map((folder) => join(isAbsolute(folder) ? folder : resolve(plan.cwd, folder), name))
    .find((candidate) => isExecutable(candidate))
  if (found === undefined || name === '') throw Object.assign(new Error(`no executable "${name}" on PATH ${path}`), { code: 'ENOENT' })
  return found
}

function refuseUnlessExecutable(path: string): void {
  if (statSync(path).isDirectory()) throw Object.assign(new Error(`${path} is a directory`), { code: 'EACCES' })
  accessSync(path, constants.X_OK)
}

function isExecutable(path: string): boolean {
  try {
    refuseUnlessExecutable(path)
    return true
  } catch {
    return false
  }
}
