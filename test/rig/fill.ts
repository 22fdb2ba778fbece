import { open } from 'node:fs/promises'

/** Makes a file that leaves no byte of its disk free. @returns how large it is */
export async function fill(file: string): Promise<number> {
  const handle = await open(file, 'a')
  try {
    for (const block of [1 << 20, 4_096, 1]) {
      const content = Buffer.alloc(block)
      for (;;) {
        const error = await handle.write(content).then(() => undefined, (reason: unknown) => reason as NodeJS.ErrnoException)
        if (error?.code === 'ENOSPC') break
        if (error !== undefined) throw error
      }
    }
    return (await handle.stat()).size
  } finally {
    await handle.close()
  }
}
