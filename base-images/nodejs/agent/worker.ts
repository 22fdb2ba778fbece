// The process around one copy of the user's script.
import { runMain } from 'node:module'
import { dirname } from 'node:path'
import { Departure } from './departure.ts'
import { aliveMessage } from './workers.ts'

/**
 * Runs the user's script as the main module of this worker. At a stop the clients are asked to leave and their calls
 * are finished; then the worker exits, unless the script listens for `disconnect` itself and so takes over its own end.
 * @param exit ends this process
 * @param beatMs how often the master hears that the event loop goes on; 0: never
 */
export function runWorker(script: string, exit: (code: number) => void, beatMs = 0): void {
  const departure = new Departure()
  // The master disconnects soon after its message, and does not wait for connections.
  let left = Promise.resolve()
  process.on('SIGINT', () => {})
  const onDisconnect = (): void => {
    if (process.listenerCount('disconnect') === 1) void left.then(() => exit(0))
  }
  process.on('disconnect', onDisconnect)
  process.on('message', (message: unknown) => {
    const { cmd, data } = (message ?? {}) as { cmd?: unknown; data?: unknown }
    if (cmd === 'agent.shutdown') left = departure.say(Number(data)).then(() => void (process.connected && process.disconnect?.()))
  })
  if (beatMs > 0) setInterval(() => process.connected && process.send?.({ cmd: aliveMessage }, undefined, undefined, () => {}), beatMs).unref()
  process.argv.splice(1, 2, script)
  process.title = `${script}: worker process`
  // As node-agent does: what a service opens by a relative name is beside its script.
  process.chdir(dirname(script))
  // The loader's own entry: `require.main === module` holds in the script, and ES modules work too.
  runMain?.()
}
