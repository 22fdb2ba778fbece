// `tarsk8s seed`: what the hook of the chart tarsframework runs, before an installation and before an upgrade.
import type { CommandIo } from '#base/command-io.ts'
import { describe } from '#base/errors.ts'
import { createLogger } from '#base/log.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { seedEnv } from './env.ts'
import { seedFramework } from './seed.ts'

const usage = `usage: tarsk8s seed
  Creates or upgrades the settings of a framework in a namespace; the chart tarsframework runs it. Its environment is
  described in framework/seed/env.ts.
`

/** @returns exit code: 0 done, 1 failed, 2 usage */
export async function run(args: readonly string[], { env, err, out, signal }: CommandIo): Promise<number> {
  if (args.length > 0) {
    const asked = args[0] === '--help' || args[0] === '-h'
    ;(asked ? out : err).write(usage)
    return asked ? 0 : 2
  }
  const log = createLogger({ write: (line) => void err.write(line) })
  try {
    const settings = seedEnv(env)
    const client = kubeClientFrom(env)
    try {
      await seedFramework(settings, { client, log, signal })
    } finally {
      client.close()
    }
    return 0
  } catch (error) {
    err.write(`tarsk8s seed: ${describe(error)}\n`)
    return 1
  }
}
