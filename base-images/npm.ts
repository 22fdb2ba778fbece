// Packages of npm as a source of base images: fetched by npm, believed only with the content that the recipe names.
import { execa } from 'execa'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '#base/errors.ts'
import type { RecipeSources } from './recipe.ts'

interface NpmPackage {
  readonly name: string
  /** One version, not a range. */
  readonly version: string
  /** `sha512-…`, as the lock file has it. */
  readonly integrity: string
}

/**
 * Fetches a package without what it depends on; kept for the next time.
 * @returns the folder with its files
 * @throws Failure NPM_FETCH_FAILED, NPM_INTEGRITY
 */
export async function fetchNpmPackage({ name, version, integrity }: NpmPackage, { cacheDir, signal }: Omit<RecipeSources, 'nodeBinary'>): Promise<string> {
  const done = join(cacheDir, `npm-${name}-${version}`)
  if (existsSync(done)) return done
  const draft = `${done}.${process.pid}.tmp`
  await mkdir(draft, { recursive: true })
  try {
    const archive = await pack(`${name}@${version}`, draft, signal)
    const found = `sha512-${createHash('sha512').update(await readFile(archive)).digest('base64')}`
    if (found !== integrity) throw new Failure('NPM_INTEGRITY', `the npm package ${name}@${version} is ${found}, not ${integrity}`, { remedy: 'do not use it; look at what the registry serves' })
    await execa('tar', ['-xzf', archive, '-C', draft])
    await rename(join(draft, 'package'), done)
  } catch (error) {
    if (!existsSync(done)) throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return done
}

async function pack(spec: string, folder: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    const { stdout } = await execa('npm', ['pack', '--silent', '--pack-destination', folder, spec], signal === undefined ? {} : { cancelSignal: signal })
    return join(folder, stdout.trim())
  } catch (error) {
    throw new Failure('NPM_FETCH_FAILED', `the npm package ${spec} could not be fetched`, { cause: error, temporary: true, remedy: 'check that npm reaches its registry and try again' })
  }
}
