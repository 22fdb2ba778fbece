// Our registry as a process of its own, so that it can be killed: `node registry-process.ts <dir>`; prints its address.
import { startOciRegistry } from '../../../framework/local/oci/server.ts'

const registry = await startOciRegistry({ dir: process.argv[2] ?? '' })
process.stdout.write(`${registry.address}\n`)
