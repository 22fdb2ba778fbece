import type { Role } from '#base/lifecycle.ts'
import { startQueryRole } from './role.ts'

/** tarsquerystat: `tarsk8s querystat`. */
export const start: Role = (context) => startQueryRole('querystat', context)
