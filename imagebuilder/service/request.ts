import { serverObjectName } from '#api/names.ts'
import { limits, patterns } from '#api/schema/patterns.ts'
import { Failure } from '#base/errors.ts'
import { checkApp, checkServer, checkServerType, checkTag } from '../names.ts'
import type { ServerType } from '../package/preflight.ts'

/** The fields of the upload form, checked (spec C.1). */
export interface BuildRequest {
  readonly app: string
  readonly server: string
  readonly serverType: ServerType
  /** Empty: the release id becomes the tag. */
  readonly tag: string
  /** The script of a php or python server that its profile names by the key entrance; empty: the usual one, or that of its TServer. */
  readonly entrance: string
  /** Reference, name of a base TImage, or empty for one that supports the type. */
  readonly baseImage: string
  readonly baseImageSecret: string
  readonly secret: string
  readonly createPerson: string
  readonly mark: string
}

/** PATH_MAX of Linux. */
const longestPath = 4096
const secretName = new RegExp(patterns.secret)

function refuse(field: string, rule: string, remedy: string): never {
  throw new Failure('FORM_INVALID', `form field ${field} ${rule}`, { remedy, context: { field } })
}

/** One line of text within the TImage's limits. */
function line(field: string, value: string, length: number): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) refuse(field, 'has control characters', 'send one line of text')
  return value.length <= length ? value : refuse(field, `has ${value.length} characters`, `send at most ${length}`)
}

function secret(field: string, value: string): string {
  if (value.length > limits.object || !secretName.test(value)) refuse(field, `"${value}" is not the name of a secret`, 'send the name of a Secret of this namespace')
  return value
}

/**
 * A TImage takes the packages of its own server only: its releases are what that server is deployed from. Case does not
 * matter, as the web sends names in lower case.
 */
function checkOwner(timage: string, app: string, server: string): void {
  const name = serverObjectName(app, server)
  if (name !== timage) refuse('ServerName', `says ${app}.${server}, whose TImage is ${name} and not ${timage}`, `send the package to TImage ${name}, or correct ServerApp and ServerName`)
}

/**
 * @param timage name of the TImage that the package was sent to
 * @throws FORM_INVALID, NAME_INVALID, TYPE_INVALID, each naming the field
 */
export function checkForm(form: ReadonlyMap<string, string>, timage: string): BuildRequest {
  const get = (field: string): string => (form.get(field) ?? '').trim()
  const required = (field: string): string => get(field) || refuse(field, 'is missing', `send ${field}`)
  const tag = get('ServerTag')
  const app = checkApp('form field ServerApp', required('ServerApp'))
  const server = checkServer('form field ServerName', required('ServerName'))
  checkOwner(timage, app, server)
  return {
    app,
    server,
    serverType: checkServerType('form field ServerType', required('ServerType')),
    tag: tag === '' ? '' : checkTag('form field ServerTag', tag),
    entrance: line('Entrance', get('Entrance'), longestPath),
    baseImage: line('BaseImage', get('BaseImage'), limits.image),
    baseImageSecret: secret('BaseImageSecret', get('BaseImageSecret')),
    secret: secret('Secret', get('Secret')),
    createPerson: line('CreatePerson', get('CreatePerson'), limits.person),
    mark: form.get('Mark')?.slice(0, limits.mark) ?? '',
  }
}
