import { createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack } from 'tar-stream'
import { chartFiles, type ChartName, type ChartOptions } from './charts.ts'

/**
 * Packs a chart as Helm does: a .tgz with one folder of the chart's name. The same sources and options give the same bytes.
 * @returns the file, `<name>-<version>.tgz` in the folder; it appears whole or not at all
 */
export async function packageChart(name: ChartName, folder: string, options: ChartOptions): Promise<string> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, `${name}-${options.version}.tgz`)
  const draft = `${file}.${process.pid}.part`
  const archive = pack()
  for (const [path, text] of await chartFiles(name, options)) archive.entry({ name: `${name}/${path}`, mode: 0o644, mtime: new Date(options.time) }, text)
  archive.finalize()
  try {
    await pipeline(archive, createGzip({ level: 9 }), createWriteStream(draft))
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
  return file
}
