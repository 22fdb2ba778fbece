// Names of Tars objects. Pure.

export interface ObjectId {
  readonly app: string
  readonly server: string
  readonly object: string
}

/** `App.Server.Obj` in exactly three non-empty parts (framework-services 1.1), else undefined. */
export function parseObjectId(id: string): ObjectId | undefined {
  const [app = '', server = '', object = '', ...rest] = id.split('.', 4)
  return app === '' || server === '' || object === '' || rest.length > 0 ? undefined : { app, server, object }
}

/** Servers are found whatever the case of their name, as their Kubernetes names are lower case. */
export function serverKey(app: string, server: string): string {
  return `${app}.${server}`.toLowerCase()
}
