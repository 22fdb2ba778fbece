import { appendFile, stat } from 'node:fs/promises'

/** Makes a file that leaves no byte of its disk free. @returns how large it is */
export async function fill(file: string): Promise<number> {
  for (const block of [1 << 20, 65_536, 1_024, 1]) {
    const content = Buffer.alloc(block)
    for (;;) {
      const error = await appendFile(file, content).catch((reason: unknown) => reason as NodeJS.ErrnoException)
      if (error?.code === 'ENOSPC') break
      if (error !== undefined) throw error
    }
  }
  return (await stat(file)).size
}
