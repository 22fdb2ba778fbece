import { serverObjectName } from '#api/names.ts'
import { usageError } from './command.ts'

export interface ServerName {
  readonly app: string
  readonly server: string
  /** Name of its Kubernetes objects. */
  readonly object: string
}

const part = /^[A-Za-z][0-9A-Za-z]*$/

/** Reads `App.Server`. */
export function parseServerName(text: string): ServerName {
  const [app = '', server = '', ...rest] = text.split('.')
  if (!part.test(app) || !part.test(server) || rest.length > 0) throw usageError(`"${text}" is no server`, 'write it as App.Server: letters and digits, a letter first')
  return { app, server, object: serverObjectName(app, server) }
}

/** From --app and --server. */
export function serverNameOf(app: string, server: string): ServerName {
  return parseServerName(`${app}.${server}`)
}
