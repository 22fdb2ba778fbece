// tarsstat or tarsproperty by its environment, but with windows of a second, so that they close all the time: `gatherer-process.ts stat|property`.
import { createLogger } from '#base/log.ts'
import { kubeClientFrom } from '#kube/client.ts'
import { propertyEnv } from '../../../framework/property/env.ts'
import { startProperty } from '../../../framework/property/property.ts'
import { statEnv } from '../../../framework/stat/env.ts'
import { startStat } from '../../../framework/stat/stat.ts'

const common = { client: kubeClientFrom(process.env), windowMs: 1_000, log: createLogger() }
const running = process.argv[2] === 'stat' ? await startStat({ ...statEnv(process.env), ...common }) : await startProperty({ ...propertyEnv(process.env), ...common })
process.once('SIGTERM', () => void running.stop().then(() => process.exit()))
