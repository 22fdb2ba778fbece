import { existsSync, readFileSync } from 'node:fs'
import { mkdir, open, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { Layout } from './layout.ts'
import { kill, startTime } from './namespace/process.ts'

interface ProcessRecord { readonly pid: number; readonly startTime: string | undefined }

const goneWaitMs = 10_000

/**
 * Takes the data folder for this process, and ends what a killed runner left: processes by number and start time, mounts
 * below the folder. Normally there are none, because the kernel ends containers with their runner.
 * @returns gives the folder back
 * @throws PODS_DATA_IN_USE when another runner lives
 */
export async function takeOver(layout: Layout, log: Logger): Promise<() => Promise<void>> {
  await mkdir(layout.pods, { recursive: true, mode: 0o711 })
  const release = await lock(join(layout.root, 'runner.json'))
  const killed = await endProcesses(await recordedProcesses(layout))
  const unmounted = await unmountBelow(layout.root)
  if (killed.length + unmounted.length > 0) log.info('cleaned up after a runner that was killed', { processes: killed, mounts: unmounted })
  return release
}

/** Folders of pods (by uid) that an earlier runner left. */
export async function leftFolders(layout: Layout): Promise<string[]> {
  return readdir(layout.pods).catch(() => [])
}

async function lock(file: string): Promise<() => Promise<void>> {
  const mine: ProcessRecord = { pid: process.pid, startTime: startTime(process.pid) }
  for (;;) {
    try {
      const handle = await open(file, 'wx')
      await handle.writeFile(JSON.stringify(mine))
      await handle.close()
      return () => rm(file, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const owner = await readJson<ProcessRecord>(file)
    const lives = owner !== undefined && owner.pid !== process.pid && isSame(owner)
    const own = owner?.pid === process.pid && owner.startTime === mine.startTime
    if (lives || own) throw new Failure('PODS_DATA_IN_USE', `another pod runner (process ${owner?.pid ?? '?'}) uses this data folder`, { remedy: 'stop it first, or give another --data folder', context: { file } })
    await rm(file, { force: true })
  }
}

async function recordedProcesses(layout: Layout): Promise<ProcessRecord[]> {
  const found: ProcessRecord[] = []
  for (const pod of await leftFolders(layout)) {
    const containers = join(layout.pods, pod, 'containers')
    for (const container of await readdir(containers).catch(() => [])) {
      const file = join(containers, container, 'processes.json')
      found.push(...((await readJson<ProcessRecord[]>(file)) ?? []))
      await writeFile(file, '[]')
    }
  }
  return found
}

/** @returns the numbers of those that still lived */
async function endProcesses(records: readonly ProcessRecord[]): Promise<number[]> {
  const alive = records.filter(isSame)
  for (const { pid } of alive) kill(pid, 'SIGKILL')
  const deadline = performance.now() + goneWaitMs
  while (alive.some(isSame) && performance.now() < deadline) await delay(20)
  return alive.map(({ pid }) => pid)
}

function isSame({ pid, startTime: started }: ProcessRecord): boolean {
  return started !== undefined && existsSync(`/proc/${pid}`) && startTime(pid) === started && !isZombie(pid)
}

function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
  } catch {
    return true
  }
}

/** Mount points below a folder, innermost first (proc(5), mountinfo). */
export function mountsBelow(folder: string): string[] {
  const points = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map((line) => unescapeMount(line.split(' ')[4] ?? ''))
  return points.filter((point) => point.startsWith(`${folder}/`)).toReversed()
}

function unescapeMount(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
}

async function unmountBelow(folder: string): Promise<string[]> {
  const mounts = mountsBelow(folder)
  if (mounts.length === 0) return []
  const libc = (await import('./namespace/libc.ts')).openLibc()
  for (const mount of mounts) libc.unmountLazily(mount)
  return mounts
}

async function readJson<T>(file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T
  } catch {
    return undefined
  }
}
