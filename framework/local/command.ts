// `tarsk8s up`: the cluster of this machine, in the foreground.
import { parseArgs } from 'node:util'
import { describe } from '#base/errors.ts'
import { createLogger } from '#base/log.ts'
import { chooseBaseImage } from '../../base-images/catalog.ts'
import { startCluster, type Cluster } from './cluster.ts'
import { checkSamples, deploySamples } from './samples/deploy.ts'
import type { CommandIo } from '#base/command-io.ts'
import { createSteps, type Steps } from './steps.ts'

const usage = `usage: tarsk8s up [--data DIR] [--cache DIR] [--bases nodejs,cpp,java] [--samples] [--check] [--verbose]
  Runs a cluster on this machine until Ctrl-C: Kubernetes API server, OCI registry, controller, framework services, pods.
  --data DIR     where everything it keeps is (default .tarsk8s); the next start resumes from there
  --cache DIR    where base images and the supervisor layer are kept (default: in the data directory)
  --bases LIST   base images to have from the start (default nodejs,cpp); "tarsk8s base --help" lists them
  --samples      release and deploy two sample services, Demo.HelloServer and Demo.NativeServer
  --check        then call both through the registry, print the answers, stop and exit
  --verbose      show the log of every part
`

const options = {
  data: { type: 'string', default: '.tarsk8s' },
  cache: { type: 'string' },
  bases: { type: 'string', default: 'nodejs,cpp' },
  samples: { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

/** @returns exit code: 0 stopped in order, 1 failed, 2 usage */
export async function run(args: readonly string[], io: CommandIo): Promise<number> {
  const parsed = parse(args)
  if (typeof parsed === 'string' || parsed.help) {
    const wrong = typeof parsed === 'string'
    ;(wrong ? io.err : io.out).write(wrong ? `tarsk8s up: ${parsed}\n${usage}` : usage)
    return wrong ? 2 : 0
  }
  const write = (line: string): void => void io.out.write(line)
  const steps = createSteps(write)
  const quiet = (line: string): void => {
    if (parsed.verbose || / ERROR /.test(line)) io.err.write(line)
  }
  const log = createLogger({ format: 'text', write: quiet })
  write(`starting the cluster of ${parsed.data}\n`)
  const cluster = await startCluster({ dataDir: parsed.data, ...(parsed.cache === undefined ? {} : { cacheDir: parsed.cache }), bases: parsed.bases.split(',').filter((name) => name !== '').map(chooseBaseImage), log, steps, signal: io.signal })
  try {
    if (parsed.samples || parsed.check) await deploySamples(cluster, { steps, write, signal: io.signal })
    if (parsed.check) return await check(cluster, steps, write, io.signal)
    write(`cluster is up; status: npx tarsk8s status${parsed.data === '.tarsk8s' ? '' : ` --data ${parsed.data}`}; kubectl --kubeconfig ${cluster.info.kubeconfig} get pods; Ctrl-C stops it\n`)
    await ended(cluster, io.signal)
    return 0
  } catch (error) {
    if (io.signal.aborted) return 0
    io.err.write(`tarsk8s up: ${describe(error)}\n`)
    return 1
  } finally {
    await stop(cluster, steps, io)
  }
}

function parse(args: readonly string[]): ReturnType<typeof parseArgs<{ options: typeof options }>>['values'] | string {
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    return describe(error)
  }
}

async function check(cluster: Cluster, steps: Steps, write: (line: string) => void, signal: AbortSignal): Promise<number> {
  const failed = await checkSamples(cluster, { steps, write, signal })
  write(`steps:\n${steps.taken.map(({ name, seconds }) => `  ${seconds.toFixed(1).padStart(6)} s  ${name}\n`).join('')}`)
  return failed === 0 ? 0 : 1
}

async function stop(cluster: Cluster, steps: Steps, io: CommandIo): Promise<void> {
  try {
    await steps.run('stopped in order', () => cluster.stop())
  } catch (error) {
    io.err.write(`tarsk8s up: while stopping: ${describe(error)}\n`)
  }
}

/** Waits for the signal, or for the cluster to break. */
async function ended(cluster: Cluster, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await Promise.race([aborted, cluster.done])
}
