// tarsstat or tarsproperty by its environment, but with windows of a second, so that they close all the time: `gatherer-process.ts stat|property`.
import { createLogger } from '#base/log.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { gathererEnv } from '#store/gatherer-env.ts'
import { startProperty } from '../../../framework/property/property.ts'
import { startStat } from '../../../framework/stat/stat.ts'

const common = { client: kubeClientFrom(process.env), log: createLogger() }
const gatherers = {
  stat: () => startStat({ ...common, ...gathererEnv('TARSSTAT', { port: 17000, httpPort: 17001 }, process.env), windowMs: 1_000 }),
  property: () => startProperty({ ...common, ...gathererEnv('TARSPROPERTY', { port: 14000, httpPort: 14001 }, process.env), windowMs: 1_000 }),
} as const
const running = await gatherers[process.argv[2] === 'stat' ? 'stat' : 'property']()
process.once('SIGTERM', () => void running.stop().then(() => process.exit()))
