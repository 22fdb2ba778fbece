// Turns a language's recipe into the staged files of its base image.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { glob, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { bundleCertificates } from './certificates.ts'
import type { Suite } from './debian-sources.ts'
import { describePackages, fetchPackages, forArchitecture, unpackPackages, type DebianOptions, type DebianPackage } from './debian.ts'
import { debugPackages, setupPackages, type BaseRecipe } from './recipe.ts'

/** Debian's merged /usr: these names are links, so that programs find the loader and libraries at both places. */
const mergedFolders = ['bin', 'sbin', 'lib', 'lib64']
/** What nobody reads in a container. Locales other than C.UTF-8 come with no package here. */
const dropped = [
  ...['doc', 'man', 'info', 'lintian', 'bug', 'locale', 'menu', 'pixmaps', 'applications', 'icons', 'bash-completion', 'zoneinfo/right', 'zoneinfo/posix'].map((folder) => `usr/share/${folder}`),
  ...['apt', 'cron.d', 'cron.daily', 'cron.weekly', 'init.d', 'systemd', 'kernel', 'update-motd.d'].map((folder) => `etc/${folder}`),
  'usr/sbin/update-ca-certificates', 'var/cache', 'var/lib/dpkg', 'usr/lib/systemd', 'usr/lib/valgrind',
]
/** What compilers read, and what interpreters make again. */
const droppedAnywhere = ['usr/lib/**/*.a', 'usr/lib/**/__pycache__', 'usr/include']
const folders = ['etc', 'tmp', 'proc', 'sys', 'dev', 'run', 'root', 'home/tars', 'usr/local/server/bin', 'usr/local/app/tars']

/** Small files that maintainer scripts or an installer would have written. The user `tars` (1000) is there for `runAsUser`. */
const files: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\ntars:x:1000:1000:tars:/home/tars:/bin/sh\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\ntars:x:1000:\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  'etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
}

/** Programs that busybox stands in for, as far as no package brings them. */
const applets = ['awk', 'basename', 'cat', 'chmod', 'chown', 'clear', 'cp', 'cut', 'date', 'dd', 'df', 'diff', 'dirname', 'du', 'egrep', 'env', 'expr', 'false', 'fgrep', 'find', 'free', 'grep', 'gunzip', 'gzip', 'head', 'hostname', 'id', 'kill', 'killall', 'less', 'ln', 'ls', 'md5sum', 'mkdir', 'mktemp', 'more', 'mv', 'nc', 'netstat', 'nslookup', 'od', 'pidof', 'ping', 'printf', 'ps', 'pwd', 'readlink', 'realpath', 'rm', 'rmdir', 'sed', 'seq', 'sha256sum', 'sleep', 'sort', 'stat', 'stty', 'sync', 'tail', 'tar', 'tee', 'telnet', 'test', 'timeout', 'top', 'touch', 'tr', 'true', 'tty', 'uname', 'uniq', 'unzip', 'uptime', 'vi', 'watch', 'wc', 'wget', 'which', 'whoami', 'xargs', 'zcat']

/** Names and versions of what an image is made of, a line each. */
export const contentsFile = 'usr/share/tarsk8s/packages'

/** Changes whenever the code here yields something else for the same recipe. */
const layoutRevision = 4

/** A staged image: its files, and what they are of. */
export interface Staged {
  /** The folder holding the files. */
  readonly root: string
  /** Everything in the image, by name. */
  readonly contents: readonly DebianPackage[]
}

/** The staged root of a base image, made once for a recipe and the versions of its packages, and kept. */
export async function stageBase(recipe: BaseRecipe, options: DebianOptions): Promise<Staged> {
  const debs = await fetchPackages({ names: recipe.packages, assumed: leftOut(recipe), ...suiteOf(recipe) }, options)
  return stage(recipe.name, [debs.map((deb) => basename(deb)), recipe.revision], options, async (root) => {
    for (const folder of folders) await mkdir(join(root, folder), { recursive: true })
    await unpack(debs, root)
    for (const [path, content] of Object.entries(files)) await writeFile(join(root, path), content)
    await bundleCertificates(root)
    await linkPrograms(root)
    await recipe.finish?.(root)
    return [...(recipe.extras ?? []), ...(await describePackages(debs))]
  })
}

/** The debug tools for a staged base, as files to lay over it. */
export async function stageDebug(recipe: BaseRecipe, base: Staged, options: DebianOptions): Promise<Staged> {
  const debs = await fetchPackages({ names: debugPackages, assumed: [...leftOut(recipe, debugPackages), ...base.contents], ...suiteOf(recipe) }, options)
  return stage(`${recipe.name}-debug`, [debs.map((deb) => basename(deb)), base.contents], options, async (root) => {
    await unpack(debs, root)
    // update-alternatives would make these.
    for (const name of ['vi', 'vim']) await symlink('vim.tiny', join(root, 'usr/bin', name))
    await linkPrograms(root)
    return [...base.contents, ...(await describePackages(debs))]
  })
}

const suiteOf = ({ suite }: BaseRecipe): { suite?: Suite } => (suite === undefined ? {} : { suite })

/** What is not wanted, as packages that are there already, newer than any that is asked for. */
const leftOut = ({ packages, without = [] }: BaseRecipe, wanted: readonly string[] = packages): DebianPackage[] =>
  [...setupPackages, ...without].filter((name) => !wanted.includes(name)).map((name) => ({ name, version: '99:0' }))

/** Fills a folder once and keeps it. @param key what its content follows from */
async function stage(name: string, key: readonly unknown[], options: DebianOptions, fill: (root: string) => Promise<readonly DebianPackage[]>): Promise<Staged> {
  const digest = createHash('sha256').update(JSON.stringify([layoutRevision, ...key])).digest('hex').slice(0, 16)
  const done = join(options.cacheDir, `root-${name}-${forArchitecture(options)}${digest}`)
  if (!existsSync(done)) {
    const root = `${done}.${process.pid}.tmp`
    await rm(root, { recursive: true, force: true })
    await mkdir(join(root, 'usr'), { recursive: true })
    const contents = [...(await fill(root))].sort((a, b) => (a.name < b.name ? -1 : 1))
    await mkdir(dirname(join(root, contentsFile)), { recursive: true })
    await writeFile(join(root, contentsFile), contents.map(({ name, version }) => `${name} ${version}\n`).join(''))
    await rename(root, done).catch(async (error: unknown) => {
      await rm(root, { recursive: true, force: true })
      if (!existsSync(done)) throw error
    })
  }
  return { root: done, contents: await readContents(join(done, contentsFile)) }
}

async function readContents(file: string): Promise<DebianPackage[]> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
  return lines.map((line) => line.split(' ')).map(([name = '', version = '']) => ({ name, version }))
}

async function unpack(debs: readonly string[], root: string): Promise<void> {
  for (const folder of mergedFolders) {
    await mkdir(join(root, 'usr', folder), { recursive: true })
    await symlink(`usr/${folder}`, join(root, folder))
  }
  await unpackPackages(debs, root)
  for (const folder of dropped) await rm(join(root, folder), { recursive: true, force: true })
  for await (const unused of glob(droppedAnywhere, { cwd: root })) await rm(join(root, unused), { recursive: true, force: true })
}

/** /bin/sh, and the names of busybox's programs. */
async function linkPrograms(root: string): Promise<void> {
  const bin = join(root, 'usr/bin')
  const link = async (name: string, target: string): Promise<void> => {
    const taken = mergedFolders.some((folder) => existsSync(join(root, folder, name)))
    if (!taken && existsSync(join(bin, target))) await symlink(target, join(bin, name))
  }
  await link('sh', 'dash')
  for (const applet of applets) await link(applet, 'busybox')
}
