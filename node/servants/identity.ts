/** The one server that this supervisor answers for. */
export interface Identity {
  readonly app: string
  readonly server: string
}

/** Return codes of the Tars node interface: 0, and one for every refusal. */
export const SUCCESS = 0
export const REFUSED = -1

/** Why a request for `app.server` is not for us; undefined when it is. Both names must match. */
export function notOurs({ app, server }: Identity, askedApp: string, askedServer: string): string | undefined {
  if (askedApp === app && askedServer === server) return undefined
  return `server ${askedApp}.${askedServer} does not exist here; this node runs ${app}.${server}`
}
