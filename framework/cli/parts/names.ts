import { serverNameLimit, serverObjectName } from '#api/names.ts'
import { patterns } from '#api/schema/patterns.ts'
import { usageError } from './command.ts'

export interface ServerName {
  readonly app: string
  readonly server: string
  /** Name of its Kubernetes objects. */
  readonly object: string
}

const appForm = new RegExp(patterns.app)
const serverForm = new RegExp(patterns.server)

/** Reads `App.Server`, by the rules that a TServer's name has (control-plane spec A.1, B.2). */
export function parseServerName(text: string): ServerName {
  const [app = '', server = '', ...rest] = text.split('.')
  if (!appForm.test(app) || !serverForm.test(server) || rest.length > 0) throw usageError(`"${text}" is no server`, 'write it as App.Server: letters and digits, a letter first')
  const object = serverObjectName(app, server)
  if (object.length >= serverNameLimit) throw usageError(`"${text}" is too long`, `App and Server may have ${serverNameLimit - 2} characters together, as pods are named after them`)
  return { app, server, object }
}

/** From --app and --server. */
export function serverNameOf(app: string, server: string): ServerName {
  return parseServerName(`${app}.${server}`)
}
