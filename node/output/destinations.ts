import { close, open, rename, unlink, writev, fstat } from 'node:fs'
import { dirname } from 'node:path'
import { makeFolders } from '#base/folders.ts'
import type { WriteBatch } from './bounded-writer.ts'

/** Milliseconds before a descriptor that others made non-blocking is tried again. */
const AGAIN_MS = 20

/**
 * Writes to an open descriptor, such as the container's stdout. It goes through Node's thread pool, because a stalled
 * reader (of `kubectl logs`, of the container runtime) blocks the write and must not block the event loop.
 */
export function toDescriptor(fd: number): WriteBatch {
  return (chunks, done) => writeAll(fd, chunks, done)
}

function writeAll(fd: number, chunks: readonly Buffer[], done: (error?: Error | null) => void): void {
  writev(fd, chunks, null, (error, written) => {
    if (error?.code === 'EAGAIN') setTimeout(() => writeAll(fd, chunks, done), AGAIN_MS)
    else if (error) done(error)
    else {
      const rest = withoutFirst(chunks, written)
      if (rest.length === 0) done()
      else writeAll(fd, rest, done)
    }
  })
}

function withoutFirst(chunks: readonly Buffer[], bytes: number): Buffer[] {
  const rest: Buffer[] = []
  let skip = bytes
  for (const chunk of chunks) {
    if (skip < chunk.length) rest.push(chunk.subarray(skip))
    skip = Math.max(0, skip - chunk.length)
  }
  return rest
}

export interface RotationOptions {
  readonly maxBytes: number
  /** Files kept in all: the current one and `path.1`, `path.2` … */
  readonly keep: number
}

/**
 * Appends to a file that is rotated by size. Every error (disk full, read-only file system) ends in `done(error)` and
 * the file is opened anew with the next batch.
 */
export function toRotatedFile(path: string, { maxBytes, keep }: RotationOptions): WriteBatch {
  let fd: number | undefined
  let size = 0

  const withFile = (next: (error: Error | null) => void): void => {
    if (fd !== undefined) return next(null)
    try {
      makeFolders(dirname(path))
    } catch (error) {
      return next(error as Error)
    }
    open(path, 'a', 0o644, (error, opened) => {
      if (error) return next(error)
      fstat(opened, (_error, stats) => {
        fd = opened
        size = stats?.size ?? 0
        next(null)
      })
    })
  }

  const release = (next: () => void): void => {
    const old = fd
    fd = undefined
    if (old === undefined) next()
    else close(old, next)
  }

  /** Makes room for a new file. */
  const rotate = (next: () => void): void => (keep === 1 ? unlink(path, () => next()) : shift(keep - 1, next))

  const shift = (index: number, next: () => void): void => {
    if (index === 0) return next()
    rename(index === 1 ? path : `${path}.${index - 1}`, `${path}.${index}`, () => shift(index - 1, next))
  }

  return (chunks, done) => {
    const append = (): void =>
      withFile((error) => {
        if (error || fd === undefined) return done(error)
        writeAll(fd, chunks, (failed) => {
          size += chunks.reduce((sum, chunk) => sum + chunk.length, 0)
          if (failed) release(() => done(failed))
          else done()
        })
      })
    if (size < maxBytes) append()
    else release(() => rotate(() => ((size = 0), append())))
  }
}
