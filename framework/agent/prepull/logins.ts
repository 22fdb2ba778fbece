import { readFile } from 'node:fs/promises'
import { Failure } from '#base/errors.ts'
import { codeOf } from '../files/folder.ts'

export interface Login {
  readonly username: string
  readonly password: string
}

interface Entry { readonly auth?: string; readonly username?: string; readonly password?: string }

/**
 * The login for an image out of a mounted pull secret (.dockerconfigjson), whose longest key that the image's name begins with
 * counts. Read at each pull, so that a changed secret is taken. None when there is no file or no key.
 */
export async function loginFor(image: string, path: string): Promise<Login | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return '{}'
    throw error
  })
  const entries = Object.entries(parse(text, path))
  const fits = ([key]: [string, Entry]): boolean => `${withHub(withHost(image))}/`.startsWith(`${withHub(key.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, ''))}/`)
  const [, entry] = entries.filter(fits).toSorted(([one], [other]) => other.length - one.length)[0] ?? []
  if (entry === undefined) return undefined
  const [, username = entry.username ?? '', password = entry.password ?? ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(entry.auth ?? '', 'base64').toString()) ?? []
  return { username, password }
}

/** Docker Hub has one name of many here. */
const withHub = (name: string): string => name.replace(/^(?:index\.|registry-1\.)docker\.io(?=\/|$)/, 'docker.io')

/** Without a host in its name, an image is Docker Hub's. */
const withHost = (image: string): string => (/^(?:[^/]*[.:][^/]*|localhost)\//.test(image) ? image : `docker.io/${image}`)

function parse(text: string, path: string): Record<string, Entry> {
  try {
    return (JSON.parse(text) as { auths?: Record<string, Entry> }).auths ?? {}
  } catch {
    // Not the parser's own words: they quote what they read.
    throw new Failure('PULL_SECRET_INVALID', `${path} is no .dockerconfigjson`, { remedy: 'correct the Secret' })
  }
}
