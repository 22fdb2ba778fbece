import { Failure } from '#base/errors.ts'
import { serverTypes, type ServerType } from './package/preflight.ts'

const namePattern = /^[A-Za-z][0-9A-Za-z]*$/
const longestName = 59

function refuse(code: string, message: string, remedy: string): never {
  throw new Failure(code, message, { remedy })
}

/** An application or server name as in TServer (letters and digits, a letter first). @throws NAME_INVALID naming the field */
export function checkName(field: string, value: string): string {
  if (!namePattern.test(value) || value.length > longestName) refuse('NAME_INVALID', `${field} "${value}" is not valid`, `use letters and digits only, a letter first, at most ${longestName} characters`)
  return value
}

/** @throws TYPE_INVALID listing the types */
export function checkServerType(field: string, value: string): ServerType {
  const found = serverTypes.find((type) => type === value)
  return found ?? refuse('TYPE_INVALID', `${field} "${value}" is not a server type`, `use one of ${serverTypes.join(', ')}`)
}

/** `<lower app>.<lower server>`: the repository of a server's images (spec C.4). */
export function imageRepository(app: string, server: string): string {
  return `${app.toLowerCase()}.${server.toLowerCase()}`
}
