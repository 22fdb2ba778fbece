// The logs of a server as they lie here, for those who show them.
import { createReadStream } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'
import { answerQuery, fileIn, listLogFiles, logText, parseLogQuery, WINDOW, type End, type LogText } from '#base/log-files.ts'
import { safePart } from '../model/file-name.ts'

export interface LogsOf {
  readonly app: string
  readonly server: string
}

/** Names of a server's logs, the newest first; those of a set are below its name. @throws what the file system says of a folder that is there and cannot be read */
export async function listLogs(root: string, of: LogsOf): Promise<string[]> {
  const folders = await Promise.all((await setsOf(root, of)).map(async (set) => {
    const folder = folderOf(root, of, set)
    return Promise.all(listLogFiles(folder).map(async (name) => ({ name: set === '' ? name : `${set}/${name}`, time: await stat(join(folder, name)).then(({ mtimeMs }) => mtimeMs, () => 0) })))
  }))
  return folders.flat().toSorted((a, b) => b.time - a.time).map(({ name }) => name)
}

/** Lines of one of them, also when it was compressed since. @throws Failure LOG_QUERY, LOG_FILE */
export async function readLogOf(root: string, of: LogsOf, name: string, query: string): Promise<string> {
  const asked = parseLogQuery(query)
  const slash = name.indexOf('/')
  const path = fileIn(folderOf(root, of, name.slice(0, Math.max(0, slash))), name.slice(slash + 1))
  return answerQuery(asked, await (path.endsWith('.gz') ? readCompressed : readPlain)(path, asked.take.end))
}

const folderOf = (root: string, { app, server }: LogsOf, set: string): string => join(root, safePart(app), ...(set === '' ? [] : [safePart(set)]), safePart(server))

/** Sets in which a server has logs; an empty one for none. */
async function setsOf(root: string, of: LogsOf): Promise<string[]> {
  const entries = await readdir(join(root, safePart(of.app)), { withFileTypes: true }).catch(noneWhereMissing)
  const names = ['', ...entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)]
  const there = await Promise.all(names.map((set) => stat(folderOf(root, of, set)).then((folder) => [folder], noneWhereMissing)))
  return names.filter((_, index) => there[index]?.[0]?.isDirectory())
}

function noneWhereMissing(error: unknown): never[] {
  if (['ENOENT', 'ENOTDIR'].includes((error as { code?: string }).code ?? '')) return []
  throw error
}

async function readPlain(path: string, end: End): Promise<LogText> {
  const handle = await open(path)
  try {
    const { size } = await handle.stat()
    const start = end === 'tail' ? Math.max(0, size - WINDOW) : 0
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.min(size, WINDOW)), 0, Math.min(size, WINDOW), start)
    return logText(buffer.subarray(0, bytesRead), { cut: start > 0, whole: size <= WINDOW })
  } finally {
    await handle.close()
  }
}

/** Of a compressed one no more than the wanted end is kept. */
async function readCompressed(path: string, end: End): Promise<LogText> {
  let [chunks, length, dropped]: [Buffer[], number, boolean] = [[], 0, false]
  for await (const chunk of createReadStream(path).compose(createGunzip()) as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (end === 'head' && length > WINDOW) break
    for (let first = chunks[0]; end === 'tail' && first !== undefined && length - first.length >= WINDOW; first = chunks[0]) {
      chunks = chunks.slice(1)
      length -= first.length
      dropped = true
    }
  }
  const all = Buffer.concat(chunks)
  const bytes = end === 'head' ? all.subarray(0, WINDOW) : all.subarray(-WINDOW)
  return logText(bytes, { cut: end === 'tail' && (dropped || all.length > WINDOW), whole: !dropped && all.length <= WINDOW })
}
