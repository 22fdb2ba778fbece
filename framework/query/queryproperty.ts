import type { Role } from '#base/lifecycle.ts'
import { startQueryRole } from './role.ts'

/** tarsqueryproperty: `tarsk8s queryproperty`. */
export const start: Role = (context) => startQueryRole('queryproperty', context)
