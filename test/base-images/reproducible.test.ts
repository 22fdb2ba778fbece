// The same packages make the same bytes: whatever the builder's umask, time zone, language, folder and file system.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { cacheDir } from '../rig/tools.ts'

const run = promisify(execFile)
const kept = join(cacheDir, 'local')
const script = join(import.meta.dirname, 'staging.ts')
/** One of each way to finish an image. */
const names = ['static', 'nodejs', 'php', 'python', 'java']

const folders: string[] = []
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

interface Surroundings {
  readonly umask: string
  readonly env: Readonly<Record<string, string>>
  readonly parent: string
}

/** Stages all in a new folder that shares nothing but the packages. */
async function digests({ umask, env, parent }: Surroundings): Promise<string[]> {
  const folder = await mkdtemp(join(parent, 'tarsk8s-staging-'))
  folders.push(folder)
  for (const name of readdirSync(kept).filter((one) => one.startsWith('debs-') && !one.endsWith('.tmp'))) await symlink(join(kept, name), join(folder, name))
  const { stdout } = await run('/bin/sh', ['-c', `umask ${umask} && exec "$@"`, 'sh', process.execPath, script, folder, ...names], { env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env } })
  return stdout.trimEnd().split('\n')
}

/** Another file system lists folders in another order. */
const memory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

it('the digest is the same everywhere', { timeout: 600_000 }, async () => {
  // Fetches what is not here yet, so that both builds below are of the same packages.
  await run(process.execPath, [script, kept, ...names])
  const one = await digests({ umask: '022', env: { TZ: 'UTC', LC_ALL: 'C' }, parent: tmpdir() })
  const other = await digests({ umask: '077', env: { TZ: 'Asia/Kathmandu', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' }, parent: memory })
  expect(one.map((line) => line.split(' ')[0])).toEqual(names)
  expect(other).toEqual(one)
})
