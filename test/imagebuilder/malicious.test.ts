// Packages that must not become images: each is refused by name, and the registry is as it was, to the file.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OciRegistry } from '../../framework/local/oci/server.ts'
import { describe as tell, Failure } from '#base/errors.ts'
import { elf, pax, tar, tgz, write, zip, type TarEntry } from './rig/archives.ts'
import { filesBelow, startOciRegistry, workbench, type Workbench } from './rig/image.ts'

const server: TarEntry = { name: 'HelloServer', mode: 0o755, content: elf() }

/** Links through one another, each by way of two thousand folders. */
const manyLinks = (count: number): TarEntry[] => Array.from({ length: count }, (_, index) => [pax({ linkpath: `${'d/'.repeat(2000)}l${index + 1}` }), { name: `l${index}`, flag: '2' }]).flat()
/** Files, each with two thousand folders above it that are its own. */
const deepFiles = (count: number): TarEntry[] => Array.from({ length: count }, (_, index) => [pax({ path: `${index}/${'d/'.repeat(2000)}x` }), { name: 'x' }]).flat()

const archives: Readonly<Record<string, { readonly bytes: () => Buffer; readonly code: string; readonly says: RegExp }>> = {
  'a path with ..': { bytes: () => tgz([server, { name: '../etc/passwd', content: 'x' }]), code: 'PACKAGE_PATH_ESCAPES', says: /"\.\.\/etc\/passwd"/ },
  'a path with .. inside': { bytes: () => tgz([server, { name: 'lib/../../x', content: 'x' }]), code: 'PACKAGE_PATH_ESCAPES', says: /"lib\/\.\.\/\.\.\/x"/ },
  'an absolute path': { bytes: () => tgz([server, { name: '/etc/passwd', content: 'x' }]), code: 'PACKAGE_PATH_ABSOLUTE', says: /"\/etc\/passwd"/ },
  'a Windows path': { bytes: () => zip([{ name: 'C:\\x', content: 'x' }]), code: 'PACKAGE_PATH_ABSOLUTE', says: /C:/ },
  'a pax path with ..': { bytes: () => tgz([server, pax({ path: '../escaped' }), { name: 'harmless', content: 'x' }]), code: 'PACKAGE_PATH_ESCAPES', says: /\.\.\/escaped/ },
  'an absolute link': { bytes: () => tgz([server, { name: 'conf', flag: '2', target: '/etc' }]), code: 'PACKAGE_LINK_ESCAPES', says: /"conf" points to "\/etc", .* root \/usr\/local\/server\/bin/ },
  'a link with ..': { bytes: () => tgz([server, { name: 'lib/x', flag: '2', target: '../../x' }]), code: 'PACKAGE_LINK_ESCAPES', says: /"lib\/x" points to "\.\.\/\.\.\/x"/ },
  'a pax link target': { bytes: () => tgz([server, pax({ linkpath: '/etc/shadow' }), { name: 'l', flag: '2', target: 'HelloServer' }]), code: 'PACKAGE_LINK_ESCAPES', says: /\/etc\/shadow/ },
  'links that escape only together': { bytes: () => tgz([server, { name: 'a/here', flag: '2', target: '..' }, { name: 'b', flag: '2', target: 'a/here/..' }]), code: 'PACKAGE_LINK_ESCAPES', says: /"b" points to "a\/here\/\.\."/ },
  'a hard link out': { bytes: () => tgz([server, { name: 'l', flag: '1', target: '../../etc/shadow' }]), code: 'PACKAGE_LINK_ESCAPES', says: /"l" points to "\.\.\/\.\.\/etc\/shadow"/ },
  'a hard link to nothing': { bytes: () => tgz([server, { name: 'l', flag: '1', target: 'etc/shadow' }]), code: 'PACKAGE_LINK_DANGLING', says: /etc\/shadow/ },
  'a file through a link': { bytes: () => tgz([server, { name: 'l', flag: '2', target: 'lib' }, { name: 'l/x', content: 'x' }]), code: 'PACKAGE_DUPLICATE', says: /"l" is a link/ },
  'a file through a file': { bytes: () => tgz([server, { name: 'HelloServer/x', content: 'x' }]), code: 'PACKAGE_DUPLICATE', says: /is a file/ },
  'a duplicate': { bytes: () => tgz([server, { name: 'x', content: '1' }, { name: './x', content: '2' }]), code: 'PACKAGE_DUPLICATE', says: /"x".*twice/ },
  'a link over a file': { bytes: () => tgz([server, { name: 'x', content: '1' }, { name: 'x', flag: '2', target: 'HelloServer' }]), code: 'PACKAGE_DUPLICATE', says: /"x"/ },
  'a character device': { bytes: () => tgz([server, { name: 'null', flag: '3' }]), code: 'PACKAGE_ENTRY_TYPE', says: /"null" is a character device/ },
  'a block device': { bytes: () => tgz([server, { name: 'sda', flag: '4' }]), code: 'PACKAGE_ENTRY_TYPE', says: /block device/ },
  'a named pipe': { bytes: () => tgz([server, { name: 'pipe', flag: '6' }]), code: 'PACKAGE_ENTRY_TYPE', says: /named pipe/ },
  'a GNU sparse file': { bytes: () => tgz([server, { name: 'sparse', flag: 'S', content: 'x' }]), code: 'PACKAGE_ENTRY_TYPE', says: /sparse/ },
  'a pax sparse file': { bytes: () => tgz([server, pax({ 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0' }), { name: 'sparse', content: 'x' }]), code: 'PACKAGE_ENTRY_TYPE', says: /sparse/ },
  'a name that is not UTF-8': { bytes: () => tgz([server, pax({ path: 'a\uFFFDb' }), { name: 'x', content: 'x' }]), code: 'PACKAGE_PATH_INVALID', says: /UTF-8/ },
  'a name of 300 bytes': { bytes: () => tgz([server, pax({ path: 'n'.repeat(300) }), { name: 'x', content: 'x' }]), code: 'PACKAGE_PATH_INVALID', says: /longer than 255/ },
  'a path of 5000 bytes': { bytes: () => tgz([server, pax({ path: 'd/'.repeat(2500) + 'x' }), { name: 'x', content: 'x' }]), code: 'PACKAGE_PATH_INVALID', says: /5001 bytes/ },
  'a link target of 5000 bytes': { bytes: () => tgz([server, pax({ linkpath: 'd/'.repeat(2499) + 'xx' }), { name: 'l', flag: '2' }]), code: 'PACKAGE_PATH_INVALID', says: /"l" has a target of 5000 bytes; at most 4095/ },
  'links that take for ever to follow': { bytes: () => tgz([server, ...manyLinks(4000)]), code: 'PACKAGE_TOO_LARGE', says: /links that take too long to follow/ },
  'folders that only long paths bring': { bytes: () => tgz([server, ...deepFiles(40)]), code: 'PACKAGE_TOO_LARGE', says: /paths have more than 67108864 bytes/ },
  'the root as a file': { bytes: () => tgz([{ name: './', flag: '0', content: 'x' }]), code: 'PACKAGE_PATH_INVALID', says: /root/ },
  'a bomb': { bytes: () => tgz([server, { name: 'zeros', content: Buffer.alloc(100 << 20) }]), code: 'PACKAGE_BOMB', says: /200 times/ },
  'a header that announces a terabyte': { bytes: () => tgz([server, { name: 'huge', size: 0o77777777777 }]), code: 'PACKAGE_TOO_LARGE', says: /unpacks to more/ },
  'a cut tgz': { bytes: () => tgz([server, { name: 'x', content: 'y'.repeat(5000) }]).subarray(0, 120), code: 'PACKAGE_DAMAGED', says: /damaged or cut short/ },
  'a cut tar': { bytes: () => tar([server, { name: 'x', content: 'y'.repeat(5000) }]).subarray(0, 2000), code: 'PACKAGE_DAMAGED', says: /damaged or cut short/ },
  'a tar with a broken header': { bytes: () => tgz([server]).fill(0, 40, 60), code: 'PACKAGE_DAMAGED', says: /damaged/ },
  'gzip without a tar': { bytes: () => tgz([]).subarray(0, 10), code: 'PACKAGE_DAMAGED', says: /damaged/ },
  'an encrypted zip': { bytes: () => zip([{ name: 'HelloServer', content: elf(), encrypted: true }]), code: 'PACKAGE_ENTRY_TYPE', says: /encrypted/ },
  'a zip that lies about sizes': { bytes: () => zip([{ name: 'HelloServer', content: elf(), size: 10 }]), code: 'PACKAGE_DAMAGED', says: /longer than its header/ },
  'a zip with a link out': { bytes: () => zip([{ name: 'HelloServer', content: elf(), unixMode: 0o100755 }, { name: 'l', content: '/etc', unixMode: 0o120777 }]), code: 'PACKAGE_LINK_ESCAPES', says: /"l" points to "\/etc"/ },
  'a zip with a device': { bytes: () => zip([{ name: 'null', unixMode: 0o020666 }]), code: 'PACKAGE_ENTRY_TYPE', says: /device/ },
  'a cut zip': { bytes: () => zip([{ name: 'HelloServer', content: elf() }]).subarray(0, 60), code: 'PACKAGE_DAMAGED', says: /damaged/ },
  'no archive': { bytes: () => Buffer.from('just text, no archive at all'), code: 'PACKAGE_FORMAT', says: /not an archive \(pack the release as/ },
  'a bare executable': { bytes: () => elf(), code: 'PACKAGE_FORMAT', says: /bare executable/ },
  'an empty file': { bytes: () => Buffer.alloc(0), code: 'PACKAGE_FORMAT', says: /empty/ },
  'no executable of the name': { bytes: () => tgz([{ name: 'Other', mode: 0o755, content: elf() }]), code: 'PACKAGE_NO_EXECUTABLE', says: /no executable "HelloServer".*: Other \(/ },
  'a script that was written on Windows': { bytes: () => tgz([{ name: 'HelloServer', mode: 0o755, content: '#!/usr/bin/env sh\r\nexit 0\r\n' }]), code: 'PACKAGE_NO_EXECUTABLE', says: /lines that end in CR LF, and Linux would take "#!\/usr\/bin\/env sh\\r" by the letter/ },
  'a text as executable': { bytes: () => tgz([{ name: 'HelloServer', mode: 0o755, content: 'hello' }]), code: 'PACKAGE_NO_EXECUTABLE', says: /neither a Linux/ },
  'a wrong architecture': { bytes: () => tgz([{ name: 'HelloServer', mode: 0o755, content: elf(183) }]), code: 'PACKAGE_ARCHITECTURE', says: /for arm64, the base image for amd64/ },
  'folders only': { bytes: () => tgz([{ name: 'Demo/', flag: '5' }]), code: 'PACKAGE_EMPTY', says: /no files/ },
}

describe('malicious and broken packages', () => {
  let bench: Workbench
  let registry: OciRegistry
  let before: Record<string, number>

  beforeAll(async () => {
    bench = await workbench()
    registry = await startOciRegistry({ dir: bench.path('registry') })
    await bench.base(registry.address)
    // A good build first: base, supervisor and configuration are there, so whatever is new afterwards comes from a bad one.
    await bench.build(registry.address, { package: await write(bench.path('good.tgz'), tgz([server])) })
    before = await filesBelow(bench.path('registry'))
  })
  afterAll(async () => {
    await registry.stop()
    await bench.clean()
  })

  test.each(Object.entries(archives))('%s', async (_name, { bytes, code, says }) => {
    const file = await write(bench.path('bad'), bytes())
    const error: unknown = await bench.build(registry.address, { package: file }).then(() => undefined, (thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Failure)
    const failure = error as Failure
    expect(failure.code).toBe(code)
    expect(tell(failure)).toMatch(says)
    expect(failure.remedy).not.toBe('')
    expect(await filesBelow(bench.path('registry'))).toEqual(before)
  })

  const layouts: Readonly<Record<string, { readonly type: 'nodejs' | 'java-jar' | 'java-war' | 'php' | 'python'; readonly bytes: () => Buffer; readonly says: RegExp }>> = {
    'nodejs without an entry': { type: 'nodejs', bytes: () => tgz([{ name: 'lib/x.js' }, { name: 'readme', content: 'x' }]), says: /nodejs package lacks package\.json/ },
    'java-jar with another jar': { type: 'java-jar', bytes: () => tgz([{ name: 'Other.jar', content: 'x' }]), says: /lacks HelloServer\.jar; at its root are: Other\.jar/ },
    'java-jar with a zip that has other things in it': { type: 'java-jar', bytes: () => zip([{ name: 'Demo/Other.jar', content: 'x' }]), says: /lacks HelloServer\.jar; at its root are: Other\.jar/ },
    'java-war without WEB-INF': { type: 'java-war', bytes: () => zip([{ name: 'index.html', content: 'x' }]), says: /lacks WEB-INF/ },
    'nodejs with the package.json of a dependency only': { type: 'nodejs', bytes: () => tgz([{ name: 'lib/x.js' }, { name: 'node_modules/a/package.json', content: '{}' }]), says: /nodejs package lacks package\.json/ },
    'python without a script to start': { type: 'python', bytes: () => tgz([{ name: 'lib/tools.py', content: 'x' }, { name: 'readme', content: 'x' }]), says: /python package lacks HelloServer\.py, main\.py, src\/main\.py, app\.py \(one of them\); at its root are: lib, readme/ },
    'php without its entrance': { type: 'php', bytes: () => tgz([{ name: 'index.php', content: 'x' }]), says: /lacks src\/index\.php/ },
  }
  test.each(Object.entries(layouts))('%s', async (_name, { type, bytes, says }) => {
    const file = await write(bench.path('bad'), bytes())
    await expect(bench.build(registry.address, { package: file, serverType: type })).rejects.toThrow(says)
    expect(await filesBelow(bench.path('registry'))).toEqual(before)
  })
})
