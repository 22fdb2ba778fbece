import { serverNameLimit, serverObjectName } from '#api/names.ts'
import { patterns } from '#api/schema/patterns.ts'
import { usageError } from './command.ts'

export interface ServerName {
  readonly app: string
  readonly server: string
  /** Which further TServer of the server; undefined for the first one. */
  readonly variant: string | undefined
  /** Name of its Kubernetes objects. */
  readonly object: string
  /** Name of the TServer without a variant, and of the TImage with the releases of all of them. */
  readonly first: string
}

const appForm = new RegExp(patterns.app)
const serverForm = new RegExp(patterns.server)
const variantForm = new RegExp(patterns.variant)

/** Reads `App.Server`, or `App.Server/variant` for a further TServer of the same server, by the rules that a TServer's name has (control-plane spec A.1, B.2). */
export function parseServerName(text: string): ServerName {
  const [name = '', variant, ...more] = text.split('/')
  const [app = '', server = '', ...rest] = name.split('.')
  if (!appForm.test(app) || !serverForm.test(server) || rest.length > 0 || more.length > 0 || (variant !== undefined && !variantForm.test(variant))) throw usageError(`"${text}" is no server`, 'write it as App.Server: letters and digits, a letter first')
  const object = serverObjectName(app, server, variant)
  if (object.length >= serverNameLimit) throw usageError(`"${text}" is too long`, `App and Server may have ${serverNameLimit - 2} characters together, as pods are named after them`)
  return { app, server, variant, object, first: serverObjectName(app, server) }
}

/** As it is written: `App.Server` or `App.Server/variant`. */
export const shownName = ({ app, server, variant }: { readonly app: string; readonly server: string; readonly variant?: string | undefined }): string => `${app}.${server}${variant === undefined ? '' : `/${variant}`}`
