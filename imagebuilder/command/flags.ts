import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { Failure } from '#base/errors.ts'
import type { Platform } from '../oci/types.ts'

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
