// The pod runner as a process of its own, for tests that kill it: runner-process.ts <kubeconfig file> <data dir> <subnet>
import { readFileSync } from 'node:fs'
import { createLogger } from '#base/log.ts'
import { createKubeClient } from '#kube/client.ts'
import { parseKubeconfig } from '#kube/config.ts'
import { startPodRunner } from '../../../framework/local/pods/runner.ts'
import { nodeName } from './rig.ts'

const [, , kubeconfig = '', dataDir = '', subnet = ''] = process.argv
const client = createKubeClient(parseKubeconfig(readFileSync(kubeconfig, 'utf8')))
const runner = await startPodRunner({ client, dataDir, subnet, nodeName, backoff: { baseMs: 100, capMs: 400 }, log: createLogger() })
process.once('SIGTERM', () => {
  runner.stop().then(() => process.exit(0), (error: unknown) => {
    process.stderr.write(`${String(error)}\n`)
    process.exit(1)
  })
})
process.stdout.write(`ready ${JSON.stringify(runner.platform)}\n`)
