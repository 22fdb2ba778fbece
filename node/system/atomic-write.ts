import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** The text of a file, undefined when it cannot be read. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/**
 * Replaces a file as a whole: a reader sees the old text or the new one, also after a crash in between.
 * A file that holds the text already is left alone.
 * @param keepBackup the replaced text stays as `<path>.bak`
 */
export function replaceFile(path: string, text: string, { keepBackup = false } = {}): void {
  if (readText(path) === text) return
  const temporary = `${path}.tmp`
  writeFileSync(temporary, text)
  if (keepBackup) backUp(path)
  renameSync(temporary, path)
}

function backUp(path: string): void {
  rmSync(`${path}.bak`, { force: true })
  try {
    linkSync(path, `${path}.bak`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
