// The agent's cluster with one worker. Tells the port of its service to the parent and stops when told so.
import cluster from 'node:cluster'
import { join } from 'node:path'
import { runWorker } from '../../base-images/nodejs/agent/worker.ts'
import { Workers } from '../../base-images/nodejs/agent/workers.ts'

if (cluster.isWorker) runWorker(join(import.meta.dirname, 'hasty-service.ts'), (code) => process.exit(code))
else {
  cluster.setupPrimary({ exec: import.meta.filename, args: [] })
  const workers = new Workers({ count: 1, env: {}, stopTimeoutMs: 8000, log: { info: () => {}, error: () => {} } as never })
  cluster.on('message', (_, message: { cmd?: string; data?: number }) => {
    if (message.cmd === 'port') process.send?.(message.data)
  })
  process.once('message', () => workers.stop())
  workers.once('ended', (code) => process.exit(code))
  workers.start()
}
