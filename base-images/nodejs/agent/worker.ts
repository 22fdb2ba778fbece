// The process around one copy of the user's script.
import { runMain } from 'node:module'

/**
 * Runs the user's script as the main module of this worker. When the master disconnects (a stop), the worker exits
 * unless the script listens for `disconnect` itself and so takes over its own end.
 * @param exit ends this process
 */
export function runWorker(script: string, exit: (code: number) => void): void {
  process.on('SIGINT', () => {})
  const onDisconnect = (): void => {
    if (process.listenerCount('disconnect') === 1) exit(0)
  }
  process.on('disconnect', onDisconnect)
  process.on('message', (message: unknown) => {
    if ((message as { cmd?: unknown } | null)?.cmd === 'agent.shutdown' && process.connected) process.disconnect?.()
  })
  process.argv[1] = script
  process.title = `${script}: worker process`
  // The loader's own entry: `require.main === module` holds in the script, and ES modules work too.
  runMain?.()
}
