import { serverCommand } from './parts/server-command.ts'

export const run = serverCommand('restart', 'Stops the service in its pods and starts it again. The pods stay.')
