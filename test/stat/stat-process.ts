// tarsstat as a process of its own, for tests that kill it: `stat-process.ts <kubeconfig> <folder> <url of OpenSearch, or nothing>`. It prints its ports.
import { createLogger } from '#base/log.ts'
import { createKubeClient } from '#kube/client.ts'
import { readKubeconfig } from '#kube/config.ts'
import { startStat } from '../../framework/stat/stat.ts'

const [kubeconfig = '', data = '', url = ''] = process.argv.slice(2)
// Windows of a fifth of a second, so that it hands on all the time.
const stat = await startStat({
  client: createKubeClient(readKubeconfig(kubeconfig)), namespace: 'tars', source: 'tars-tarsstat-0', address: '127.0.0.1', port: 0, httpPort: 0, windowMs: 200,
  bounds: { perReporter: 10_000, inAll: 100_000 }, store: { data, days: 15, bytes: 1 << 30, spoolBytes: 64 << 20, ...(url === '' ? {} : { elastic: { urls: [url], prefix: 'tars_', user: undefined, password: undefined } }) },
  log: createLogger({ format: 'text', write: (line) => void (process.env['TARSK8S_TEST_VERBOSE'] === '1' && process.stderr.write(line)) }),
})
process.on('SIGTERM', () => void stat.stop().then(() => process.exit()))
process.stdout.write(`${stat.port} ${stat.httpPort}\n`)
