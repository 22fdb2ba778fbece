import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { Failure } from '#base/errors.ts'
import { checkTag } from '../names.ts'
import { parseLocation, type ImageLocation } from '../oci/location.ts'
import type { Platform } from '../oci/types.ts'

/** Flags of every command. */
export const commonOptions = {
  insecure: { type: 'string', multiple: true }, mirror: { type: 'string', multiple: true }, ca: { type: 'string' }, 'registry-config': { type: 'string' },
  json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' },
} as const

/** The help to {@link commonOptions}. */
export const commonHelp = `  --insecure HOST     registry that speaks plain HTTP; may be repeated
  --ca FILE           PEM certificates to trust registries by
  --mirror HOST=HOST  registry, and its mirror that is asked first when images are read; may be repeated
  --registry-config FILE  Docker config JSON with credentials     (default: as "docker login" left it)
  --json              print the result as JSON
`

/** @throws USAGE */
export function usage(message: string): never {
  throw new Failure('USAGE', message)
}

/** @throws USAGE for a flag that is not there, or lacks its value */
export function parseFlags<T extends ParseArgsOptionsConfig>(args: readonly string[], options: T): ReturnType<typeof parseArgs<{ options: T; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    return usage((error as Error).message.split('. To specify')[0] ?? '')
  }
}

/** `linux/amd64`, `linux/arm/v7`. @throws USAGE */
export function platformOf(text: string): Platform {
  const [os, architecture, variant] = text.split('/')
  if (os !== 'linux' || architecture === undefined || architecture === '') usage(`--platform "${text}" is not linux/ARCH`)
  return { os: 'linux', architecture: architecture ?? '', ...(variant === undefined ? {} : { variant }) }
}

/** A refusal of a flag's value is wrong usage. */
export function checked<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    if (!(error instanceof Failure) || error.code === 'USAGE') throw error
    throw new Failure('USAGE', error.message, error.remedy === undefined ? {} : { remedy: error.remedy })
  }
}

/** Where an image goes. @param tag of a flag of its own @throws USAGE */
export function target(to: string, tag: string | undefined, cwd: string): ImageLocation {
  const location = checked(() => parseLocation(to, cwd))
  if (tag === undefined) return location
  checked(() => checkTag('--tag', tag))
  if (location.type === 'archive' && location.name === undefined) usage('--tag needs a name: docker-archive:FILE:NAME')
  const named = to.replace(/^(docker-archive:[^:]*|docker|oci):/, '')
  if (named.lastIndexOf(':') > named.lastIndexOf('/')) usage('--tag is given, and --to has a tag too')
  return checked(() => parseLocation(`${to}:${tag}`, cwd))
}
