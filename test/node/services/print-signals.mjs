// Prints the name of each signal that it gets; SIGTERM ends it.
import { constants } from 'node:os'

for (const name of Object.keys(constants.signals)) {
  if (['SIGKILL', 'SIGSTOP', 'SIGCHLD'].includes(name)) continue
  try {
    process.on(name, () => console.log(`got ${name}`))
  } catch {
    // A signal that Node keeps for itself.
  }
}
process.on('SIGTERM', () => process.exit(0))
setInterval(() => {}, 60_000)
console.log('ready')
