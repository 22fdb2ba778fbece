// The embedded API server as a process of its own, to be killed and frozen: `api-process.ts <options as JSON>`. It prints how it is reached.
import { createLogger } from '#base/log.ts'
import { startApiServer, type ApiServerOptions } from '../../../framework/local/apiserver/server.ts'

/** Changes kept for watches: fewer than are made while one is cut off for some seconds, so that it is told 410. */
const HISTORY = 60
/** Milliseconds between bookmarks, by which the roles know that what they know is so still. */
const BOOKMARK_MS = 1_000

const options = JSON.parse(process.argv[2] ?? '') as Pick<ApiServerOptions, 'dataFile' | 'host' | 'port' | 'token' | 'namespaces'>
const api = await startApiServer({ ...options, historyLimit: HISTORY, bookmarkMs: BOOKMARK_MS, log: createLogger() })
process.once('SIGTERM', () => void api.stop().then(() => process.exit()))
process.stdout.write(`${JSON.stringify({ config: api.config, kubeconfig: api.kubeconfig(options.namespaces?.[0]) })}\n`)
