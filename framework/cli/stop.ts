import { serverCommand } from './parts/server-command.ts'

export const run = serverCommand('stop', 'Stops the service in its pods. The pods stay; a pod that Kubernetes starts again starts its service again.')
