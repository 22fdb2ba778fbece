import type { Disturbance } from '../disturbance.ts'
import type { ChaosPod } from '../pod.ts'
import type { SharedRegistry } from '../shared-registry.ts'

export type PodDisturbance = Disturbance<ChaosPod, SharedRegistry>
