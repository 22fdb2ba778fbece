import { open } from 'node:fs/promises'
import type { Transform } from 'node:stream'
import { giveBack, giveBackFilled } from '../memory.ts'
import type { Arrival } from './arrival.ts'

/** Read, and unpacked, at a time. Bytes. */
export const readBytes = 512 << 10

/**
 * A file in pieces, each good until the next is asked for: all are read into one buffer.
 * @param onRead is told the bytes of each
 * @param arrival of a file that is still being written
 */
export async function* piecesOf(path: string, onRead: (bytes: number) => void, signal?: AbortSignal, arrival?: Arrival): AsyncGenerator<Buffer> {
  const file = await open(path, 'r')
  try {
    const buffer = Buffer.allocUnsafeSlow(readBytes)
    for (let read = 0; ; ) {
      signal?.throwIfAborted()
      const more = arrival === undefined || (await arrival.more(read, signal))
      const { bytesRead } = more ? await file.read(buffer, 0, readBytes) : { bytesRead: 0 }
      if (bytesRead === 0) break
      read += bytesRead
      onRead(bytesRead)
      yield buffer.subarray(0, bytesRead)
    }
    // Not where the reader has left: the last piece may be in the hands of the thread pool.
    giveBack(buffer)
  } finally {
    await file.close()
  }
}

/** What `decompressor` makes of the pieces, each good until the next is asked for. */
export async function* unpacked(pieces: AsyncIterable<Buffer>, decompressor: Transform): AsyncGenerator<Buffer> {
  const fed = feed(pieces, decompressor)
  try {
    let last: Buffer | undefined
    for await (const piece of decompressor as AsyncIterable<Buffer>) {
      yield piece
      giveBackFilled(piece)
      last = piece
    }
    if (last !== undefined) giveBack(last)
  } finally {
    decompressor.destroy()
    await fed
  }
}

/** Writes every piece, the next when the decompressor is done with the one before; an error becomes the decompressor's. */
async function feed(pieces: AsyncIterable<Buffer>, decompressor: Transform): Promise<void> {
  let taken = (): void => {}
  decompressor.once('close', () => taken())
  try {
    for await (const piece of pieces) {
      await new Promise<void>((resolve) => {
        taken = resolve
        decompressor.write(piece, () => resolve())
      })
      if (decompressor.destroyed) return
    }
    decompressor.end()
  } catch (error) {
    decompressor.destroy(error as Error)
  }
}
