// Runs as PID 1 of a container's new namespaces: builds its root, gives up what it must not keep, becomes its program.
import { readFileSync, readlinkSync, writeSync } from 'node:fs'
import { openLibc } from './libc.ts'
import { becomeProgram, dropPrivileges } from './become.ts'
import { enterRoot } from './enter-root.ts'
import { launchFds } from './plan.ts'
import type { LaunchPlan, LaunchReport } from './plan.ts'

const startFailed = 128

function report(line: LaunchReport): void {
  writeSync(launchFds.report, `${JSON.stringify(line)}\n`)
}

let step = 'read the launch plan'
try {
  const plan = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as LaunchPlan
  const libc = openLibc()
  const steps = {
    'close the report on exec': () => libc.closeOnExec(launchFds.report, true),
    // /proc is still the host's: there this process has the number that the runner can signal
    'report the process': () => report({ type: 'process', pid: Number(readlinkSync('/proc/self')) }),
    'leave the terminal': () => libc.newSession(),
    'set the host name': () => libc.setHostname(plan.hostname),
    'enter the root file system': () => enterRoot(libc, plan),
    'drop privileges': () => dropPrivileges(libc, plan),
    'run the program': () => becomeProgram(libc, plan, () => report({ type: 'executing' })),
  }
  for (const [name, act] of Object.entries(steps)) {
    step = name
    act()
  }
} catch (error) {
  report({ type: 'failed', step, message: error instanceof Error ? error.message : String(error), code: String((error as { code?: unknown }).code ?? '') })
  process.exit(startFailed)
}
