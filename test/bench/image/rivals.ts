// The other ways to an image, each as fast as it goes, with its exact version. All begin with nothing built or pulled before.
import { spawn } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { dockerEngine } from '../../rig/docker.ts'
import { crane, craneVersion } from '../../rig/registry.ts'
import { debianTool, debianVersion, goModuleTool } from '../../rig/tools.ts'
import { execute, server, type Arena, type Ground } from './contest.ts'

export interface Rival {
  readonly name: string
  /** Makes an image of the package and pushes it. @param dir a folder to work in, removed by the caller */
  build(file: string, arena: Arena, dir: string): Promise<void>
  stop?(): Promise<void>
}

const kanikoVersion = 'v1.24.0'

/** The fastest rival known: paths rewritten by bsdtar, layer and push by crane; nothing touches the disk. */
export async function piped(): Promise<Rival> {
  const [bsdtar, program] = await Promise.all([debianTool('bsdtar', 'libarchive-tools'), crane()])
  return {
    name: `${await debianVersion('libarchive-tools')} | crane ${craneVersion} append`,
    async build(file, { address, base }) {
      const rewrite = spawn(bsdtar, ['-cf', '-', '-s', `,^${server}/,usr/local/server/bin/,`, `@${file}`], { stdio: ['ignore', 'pipe', 'inherit'] })
      const push = spawn(program, ['append', '--insecure', '-b', base, '-f', '-', '-t', `${address}/piped/app:1`], { stdio: ['pipe', 'ignore', 'pipe'] })
      rewrite.stdout.pipe(push.stdin)
      let said = ''
      push.stderr.on('data', (part: Buffer) => (said += part.toString()))
      const code = await new Promise<number | null>((resolve) => push.on('exit', resolve))
      if (code !== 0) throw new Error(`crane append ended with ${code}: ${said}`)
    },
  }
}

/** By way of the disk: unpacked, packed again, appended. */
export async function repacked(): Promise<Rival> {
  const program = await crane()
  return {
    name: `tar out, tar in, crane ${craneVersion} append`,
    async build(file, { address, base }, dir) {
      const root = join(dir, 'root')
      await unpack(file, join(root, 'usr/local/server/bin'))
      await execute('tar', ['-cf', join(dir, 'layer.tar'), '-C', root, '.'])
      await execute(program, ['append', '--insecure', '-b', base, '-f', join(dir, 'layer.tar'), '-t', `${address}/repacked/app:1`])
    },
  }
}

/** What the manual way is. */
export async function docker(ground: Ground): Promise<Rival> {
  const engine = await dockerEngine({ parent: ground.dir })
  return {
    name: `docker ${engine.version} build + push`,
    async build(file, arena, dir) {
      const tag = `${arena.address}/docker/app:1`
      await context(file, arena, dir)
      await engine.docker('build', '-q', '--no-cache', '-t', tag, dir)
      await engine.docker('push', '-q', tag)
      await engine.docker('rmi', '-f', tag, arena.base)
    },
    stop: () => engine.stop(),
  }
}

/** Without a daemon; its containers have no isolation but a chroot, as in a pod. */
export async function buildah(): Promise<Rival> {
  const program = await debianTool('buildah', 'buildah')
  return {
    name: `${await debianVersion('buildah')} bud + push, overlay, chroot`,
    async build(file, arena, dir) {
      const [work, tag] = [join(dir, 'work'), `${arena.address}/buildah/app:1`]
      await context(file, arena, work)
      const policy = join(dir, 'policy.json')
      await writeFile(policy, JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }))
      const global = ['--root', join(dir, 'storage'), '--runroot', join(dir, 'run'), '--storage-driver', 'overlay']
      const trust = ['--tls-verify=false', '--signature-policy', policy]
      await execute(program, [...global, 'bud', '--isolation', 'chroot', ...trust, '-q', '-t', tag, work])
      await execute(program, [...global, 'push', '-q', ...trust, tag])
    },
  }
}

/** What the original builder runs. It overwrites the root folder: it gets one of its own, with its own mounts and processes. */
export async function kaniko(): Promise<Rival> {
  const executor = await goModuleTool('github.com/GoogleContainerTools/kaniko', kanikoVersion, 'cmd/executor')
  return {
    name: `kaniko ${kanikoVersion}`,
    async build(file, arena, dir) {
      const root = join(dir, 'root')
      await Promise.all(['kaniko', 'proc', 'dev', 'tmp', 'workspace'].map((name) => mkdir(join(root, name), { recursive: true })))
      await copyFile(executor, join(root, 'kaniko/executor'))
      await context(file, arena, join(root, 'workspace'))
      const enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" /kaniko/executor "$@"'
      const args = ['--force', '--insecure', '--insecure-pull', '--context', 'dir:///workspace', '--dockerfile', '/workspace/Dockerfile', '--destination', `${arena.address}/kaniko/app:1`]
      await execute('unshare', ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', enter, root, ...args], { env: { PATH: process.env['PATH'], HOME: '/' }, maxBuffer: 1 << 26 })
    },
  }
}

/** Times every rival in a folder of its own. @returns what `work` returns */
export async function inFolder<T>(ground: Ground, work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(ground.dir, 'work-'))
  try {
    return await work(dir)
  } finally {
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function unpack(file: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await execute('tar', ['-xzf', file, '--strip-components=1', '-C', folder])
}

/** A folder that an image can be built of by a Dockerfile. */
async function context(file: string, { base }: Arena, dir: string): Promise<void> {
  await unpack(file, join(dir, 'bin'))
  await writeFile(join(dir, 'Dockerfile'), `FROM ${base}\nENV ServerType=cpp\nCOPY bin /usr/local/server/bin\n`)
}
