// Turns a language's recipe into the staged files of its base image.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fetchPackages, forArchitecture, unpackPackages, type DebianOptions } from './debian.ts'
import type { BaseRecipe } from './recipe.ts'

/** Debian's merged /usr: these names are links, so that programs find the loader and libraries at both places. */
const mergedFolders = ['bin', 'sbin', 'lib', 'lib64']
/** What nobody reads in a container. Locales other than C.UTF-8 come with no package here. */
const dropped = ['usr/share/doc', 'usr/share/man', 'usr/share/info', 'usr/share/lintian', 'usr/share/bug', 'usr/share/locale', 'var/cache', 'var/lib/dpkg', 'lib/systemd', 'usr/lib/systemd']
const folders = ['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'etc', 'tmp', 'proc', 'sys', 'dev', 'run', 'root', 'home/tars', 'usr/local/server/bin', 'usr/local/app/tars']

/** Small files that maintainer scripts or an installer would have written. The user `tars` (1000) is there for `runAsUser`. */
const files: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\ntars:x:1000:1000:tars:/home/tars:/bin/sh\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\ntars:x:1000:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
}

/** Changes whenever the code here yields something else for the same recipe. */
const layoutRevision = 1

/**
 * The staged root of a base image, made once a recipe and kept.
 * @returns the folder holding the image's files
 */
export async function stageBase(recipe: BaseRecipe, options: DebianOptions): Promise<string> {
  const key = createHash('sha256').update(JSON.stringify([layoutRevision, recipe.packages, recipe.revision])).digest('hex').slice(0, 16)
  const done = join(options.cacheDir, `root-${recipe.name}-${forArchitecture(options)}${key}`)
  if (existsSync(done)) return done
  const root = `${done}.${process.pid}.tmp`
  await rm(root, { recursive: true, force: true })
  for (const folder of folders) await mkdir(join(root, folder), { recursive: true })
  for (const folder of mergedFolders) await symlink(`usr/${folder}`, join(root, folder))
  await unpackPackages(await fetchPackages(recipe.packages, options), root)
  for (const folder of dropped) await rm(join(root, folder), { recursive: true, force: true })
  for (const [path, content] of Object.entries(files)) await writeFile(join(root, path), content)
  await bundleCertificates(root)
  await recipe.finish?.(root)
  await rename(root, done).catch(async (error: unknown) => {
    await rm(root, { recursive: true, force: true })
    if (!existsSync(done)) throw error
  })
  return done
}

/** Writes /etc/ssl/certs/ca-certificates.crt from the packaged certificates, as update-ca-certificates does. */
async function bundleCertificates(root: string): Promise<void> {
  const source = join(root, 'usr/share/ca-certificates/mozilla')
  if (!existsSync(source)) return
  const names = (await readdir(source)).filter((name) => name.endsWith('.crt')).sort()
  const texts = await Promise.all(names.map((name) => readFile(join(source, name), 'utf8')))
  await mkdir(join(root, 'etc/ssl/certs'), { recursive: true })
  await writeFile(join(root, 'etc/ssl/certs/ca-certificates.crt'), texts.map((text) => (text.endsWith('\n') ? text : `${text}\n`)).join(''))
}

/** Copies a file or folder into the staged root, making its parents. */
export async function install(source: string, root: string, path: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await cp(source, join(root, path), { recursive: true, dereference: true })
}
