import type { Role } from '#base/lifecycle.ts'
import { logEnv } from './env.ts'
import { startLog } from './log.ts'

/** tarslog: `tarsk8s log`. */
export const start: Role = ({ env, log }) => startLog({ ...logEnv(env), log })
