// One release package of every kind that is recognised.
import { zstdCompressSync } from 'node:zlib'
import { elf, tar, tgz, zip } from './archives.ts'

export const packageKinds = ['tgz', 'tar', 'tar.zst', 'zip', 'jar', 'war'] as const
export type PackageKind = (typeof packageKinds)[number]

/** The server type of a kind, and a package of it that carries these bytes besides what makes it one. */
export function packageOf(kind: PackageKind, content: Buffer): { readonly serverType: string; readonly file: Buffer } {
  const data = { name: 'data', content }
  const server = { name: 'HelloServer', mode: 0o755, content: elf() }
  switch (kind) {
    case 'tgz': return { serverType: 'cpp', file: tgz([server, data]) }
    case 'tar': return { serverType: 'cpp', file: tar([server, data]) }
    case 'tar.zst': return { serverType: 'cpp', file: zstdCompressSync(tar([server, data])) }
    case 'zip': return { serverType: 'cpp', file: zip([{ ...server, unixMode: 0o100755 }, data]) }
    case 'jar': return { serverType: 'java-jar', file: zip([{ name: 'META-INF/MANIFEST.MF', content: 'Main-Class: a.B\n' }, data]) }
    case 'war': return { serverType: 'java-war', file: zip([{ name: 'WEB-INF/web.xml', content: '<web-app/>' }, data]) }
  }
}
