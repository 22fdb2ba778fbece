import { watch, type FSWatcher } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Failure } from '#base/errors.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { codeOf } from '../files/folder.ts'

/** See {@link startHotFile}. */
export interface HotFileOptions<T> {
  readonly path: string
  readonly parse: (text: string) => T
  /** In force where there is no file. Not where there is a bad one: that says what its writer did not want, too. */
  readonly fallback: T
  /** Called with what is in force from now on; before the start resolves, unless the file is bad. */
  readonly onValue: (value: T) => void
  readonly log: Logger
  /** Milliseconds between two looks, for what the system did not tell. */
  readonly pollMs?: number
}

export interface HotFile extends Running {
  /** False while the file is bad and something older is in force. */
  readonly good: boolean
}

/** A ConfigMap holds no more. */
const maxBytes = 1 << 20

/**
 * Keeps a value that a file says. A mounted ConfigMap changes by a link in its folder, so the folder is watched; it is also read
 * again now and then. A bad file is told once, and the last good value stays in force; none, when it was bad from the start.
 */
export async function startHotFile<T>({ path, parse, fallback, onValue, log, pollMs = 30_000 }: HotFileOptions<T>): Promise<HotFile> {
  const lifetime = new Lifetime()
  // null: nothing that could be read.
  let seen: string | undefined | null = null
  let good = true

  const take = (text: string | undefined): void => {
    const value = text === undefined ? fallback : parse(text)
    good = true
    onValue(value)
    log.info('rules are in force', { file: path, present: text !== undefined })
  }
  const look = async (): Promise<void> => {
    try {
      const before = seen
      seen = null
      const text = await readSmall(path)
      seen = text
      if (text === before) return
      take(text)
    } catch (error) {
      if (good || seen !== null) log.error('bad rules, the last good ones stay in force, if there were any', { file: path, error })
      good = false
    }
  }
  // One look at a time; one that was asked for meanwhile comes after it.
  let looking = look()
  const again = (): void => void (looking = looking.then(look))
  await looking

  let watcher: FSWatcher | undefined
  const follow = (): void => {
    try {
      watcher ??= watch(dirname(path), again).on('error', () => {
        watcher?.close()
        watcher = undefined
      }).unref()
    } catch {
      // No such folder yet: the timer looks again.
    }
  }
  follow()
  const timer = setInterval(() => {
    follow()
    again()
  }, pollMs).unref()
  lifetime.onStop(async () => {
    clearInterval(timer)
    watcher?.close()
    await looking
  })
  return { stop: () => lifetime.stop(), done: lifetime.done, get good() { return good } }
}

async function readSmall(path: string): Promise<string | undefined> {
  try {
    await using file = await open(path)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0)
    if (bytesRead > maxBytes) throw new Failure('RULES_TOO_LARGE', `${path} is larger than ${maxBytes} bytes`)
    return buffer.toString('utf8', 0, bytesRead)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
