// The service of a chaos pod: it sends heartbeats, and on SIGUSR2 starts a hundred children, which become orphans when it is killed.
import { spawn } from 'node:child_process'

process.on('SIGUSR2', () => spawn('/bin/sh', ['-c', 'for i in $(seq 100); do sleep 2 & done; wait'], { stdio: 'ignore' }))
await import('../node/services/beating.ts')
