import type { TServer } from './types.ts'

/** True for the framework's own services: `tarsk8s <role>` serves Tars by itself, with no tarsnode above it. */
export const isRole = ({ k8s: { command } }: TServer['spec']): boolean => command?.[0] === 'tarsk8s'

/** Whether tarsnode runs it, and takes commands in its pods. */
export const hasNode = (spec: TServer['spec']): boolean => spec.subType === 'tars' && !isRole(spec)
