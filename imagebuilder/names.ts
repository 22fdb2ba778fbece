import { limits, patterns } from '#api/schema/patterns.ts'
import { Failure } from '#base/errors.ts'
import { serverTypes, type ServerType } from './package/preflight.ts'

const app = new RegExp(patterns.app)
const server = new RegExp(patterns.server)
const tag = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/

function refuse(code: string, message: string, remedy: string): never {
  throw new Failure(code, message, { remedy })
}

/** An application's name as in TServer. @param field names it in the error @throws NAME_INVALID */
export function checkApp(field: string, value: string): string {
  if (!app.test(value) || value.length > limits.name) refuse('NAME_INVALID', `${field} "${value}" is not an application's name`, `use letters and digits, a letter first, at most ${limits.name}`)
  return value
}

/** A server's name as in TServer. @param field names it in the error @throws NAME_INVALID */
export function checkServer(field: string, value: string): string {
  if (!server.test(value) || value.length > limits.name) refuse('NAME_INVALID', `${field} "${value}" is not a server's name`, `use letters, digits and inner "-", a letter first, at most ${limits.name}`)
  return value
}

/** @throws TYPE_INVALID listing the types */
export function checkServerType(field: string, value: string): ServerType {
  const found = serverTypes.find((type) => type === value)
  return found ?? refuse('TYPE_INVALID', `${field} "${value}" is not a server type`, `use one of ${serverTypes.join(', ')}`)
}

/** A tag of an image (distribution-spec). @throws NAME_INVALID */
export function checkTag(field: string, value: string): string {
  if (!tag.test(value)) refuse('NAME_INVALID', `${field} "${value}" is not an image tag`, 'use letters, digits, "_", "." and "-", at most 128')
  return value
}

/** `<lower app>.<lower server>`: the repository of a server's images (spec C.4). */
export function imageRepository(appName: string, serverName: string): string {
  return `${appName.toLowerCase()}.${serverName.toLowerCase()}`
}
