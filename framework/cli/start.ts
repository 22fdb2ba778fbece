import { serverCommand } from './parts/server-command.ts'

export const run = serverCommand('start', 'Starts the service again after a stop, and at once when it waits to be started again.')
