// A release package of a given size, made from a fixed seed: the same bytes on every machine and in every round.
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack, type Pack } from 'tar-stream'
import { cacheDir } from '../rig/tools.ts'

/** Small, fast and good enough to be incompressible (xorshift32). */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

const words = 'server client module request response adapter servant endpoint config property timeout thread queue return const import export function await buffer stream error 0x1f null undefined this.state { } ( ) => ; , . = + //'.split(' ')

function text(next: () => number, bytes: number): Buffer {
  const lines: string[] = []
  let size = 0
  while (size < bytes) {
    let line = ' '.repeat(2 * (next() % 6))
    for (let count = next() % 12; count >= 0; count--) line += `${words[next() % words.length] ?? ''}${next() % 3 === 0 ? next() % 10_000 : ''} `
    lines.push(line)
    size += line.length + 1
  }
  return Buffer.from(lines.join('\n')).subarray(0, bytes)
}

function noise(next: () => number, bytes: number): Buffer {
  const block = Buffer.alloc(bytes - (bytes % 4))
  for (let at = 0; at < block.length; at += 4) block.writeUInt32LE(next(), at)
  return block
}

function add(archive: Pack, header: { name: string; mode: number }, content: Buffer): Promise<void> {
  return new Promise((resolve, reject) => archive.entry({ ...header, mtime: new Date(0) }, content, (error) => (error ? reject(error) : resolve())))
}

export interface PackageVariant {
  /** One file of so many has another content than in the package itself. */
  readonly changedEvery?: number
}

/** An executable, many text files of 2 to 60 KB, and as many bytes that do not shrink in files of 20 KB to 1 MB. */
async function fill(archive: Pack, server: string, packedBytes: number, { changedEvery = Infinity }: PackageVariant): Promise<void> {
  const next = generator(20261123)
  const other = generator(20261129)
  await add(archive, { name: `${server}/${server}`, mode: 0o755 }, Buffer.from('#!/bin/sh\nexec sleep 1000000\n'))
  let [packed, files] = [0, 0]
  const varied = (make: typeof text, bytes: number): Buffer => {
    const content = make(next, bytes)
    return ++files % changedEvery === 0 ? make(other, bytes + (other() % 5_000)) : content
  }
  for (let number = 0; packed < packedBytes; number++) {
    const folder = `${server}/lib/${number % 97}/node_modules/package-${number % 389}`
    const source = varied(text, 2_000 + (next() % 110_000))
    await add(archive, { name: `${folder}/source-${number}.js`, mode: 0o644 }, source)
    packed += source.length * 0.3
    if (number % 4 !== 0) continue
    const binary = varied(noise, 20_000 + (next() % 280_000))
    await add(archive, { name: `${folder}/data-${number}.bin`, mode: number % 8 === 0 ? 0o755 : 0o644 }, binary)
    packed += binary.length
  }
  archive.finalize()
}

/** @returns the path of the tgz, about `megabytes` in size, kept in the cache folder */
export async function releasePackage(server: string, megabytes: number, variant: PackageVariant = {}): Promise<string> {
  const folder = join(cacheDir, 'bench')
  const changed = variant.changedEvery === undefined ? '' : `-changed-${variant.changedEvery}`
  const path = join(folder, `${server}-${megabytes}m${changed}-1.tgz`)
  if (existsSync(path)) return path
  mkdirSync(folder, { recursive: true })
  const archive = pack()
  await Promise.all([fill(archive, server, megabytes * 1e6, variant), pipeline(archive, createGzip({ level: 6 }), createWriteStream(`${path}.part`))])
  renameSync(`${path}.part`, path)
  return path
}
