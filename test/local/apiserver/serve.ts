// An API server of its own process, for tests that kill it: prints its kubeconfig as one JSON string.
import { silentLogger } from '#base/log.ts'
import { startApiServer } from '../../../framework/local/apiserver/server.ts'

const server = await startApiServer({ dataFile: process.argv[2] ?? ':memory:', host: '127.0.0.1', port: 0, token: 't', log: silentLogger })
process.stdout.write(`${JSON.stringify(server.kubeconfig())}\n`)
