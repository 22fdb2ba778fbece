// tarsnode: PID 1 of a business container. Signals first, because PID 1 has no default actions; then the environment,
// the container, the service. Exit codes: the service's outcome, or 255 when the supervisor cannot do its work.
import { describe } from '#base/errors.ts'
import { createLogger } from '#base/log.ts'
import { parseEnvironment } from './env.ts'
import { startOutput } from './output/output.ts'
import { bindLibc } from './system/libc.ts'
import { handleSignals } from './system/signals.ts'
import { startTarsnode, type Tarsnode } from './tarsnode.ts'

/** The supervisor's own failure (spec A.3). */
const FAILED = 255
/** Longest wait for the last output to be written, milliseconds. */
const FLUSH_MS = 1_000

let node: Tarsnode | undefined
let asked = false
handleSignals({
  stop: () => {
    asked = true
    node?.quit()
  },
  forward: (signal) => node?.forward(signal),
})

const libc = bindLibc()
try {
  const settings = parseEnvironment(process.env)
  const output = startOutput(libc, settings.paths.logDir, settings.stdoutFile)
  const log = createLogger({ write: output.log, fields: { role: 'tarsnode' } })
  const exit = (code: number): void => void output.flush(FLUSH_MS).then(() => libc.exitNow(code))
  node = startTarsnode(settings, { libc, output, log, exit, failed: FAILED })
  if (asked) node.quit()
} catch (error) {
  process.stderr.write(`tarsnode: ${describe(error)}\n`)
  process.exit(FAILED)
}
