// The supervisor beside an image that was not built by us: copied by an init container, started by the image's own script.
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { supervisorFiles } from '../../node/files.ts'
import { ENTRYPOINT, launcherPath, loaderName, type Architecture } from '../../node/layout.ts'
import { exitCode, PidNamespace } from '../rig/pidns.ts'
import { debianTool } from '../rig/tools.ts'
import { bundle, ownAddress, place, removeScratch, scratch } from './rig.ts'

afterAll(removeScratch)

const arch = process.arch as Architecture
const glibc = ['/lib/x86_64-linux-gnu', '/lib/aarch64-linux-gnu', '/lib64'].find((folder) => existsSync(join(folder, loaderName(arch)))) ?? '/lib'
const workDir = '/usr/local/app/tars/tarsnode'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A root folder with these files, and the folders that a container runtime mounts. */
function rootWith(files: Readonly<Record<string, string>>): string {
  const root = scratch('image')
  cleanups.push(() => rmSync(root, { recursive: true, force: true }))
  for (const folder of ['proc', 'dev', 'etc', 'bin', `.${workDir}`, 'usr/local/server/bin']) mkdirSync(join(root, folder), { recursive: true })
  execFileSync('mknod', [join(root, 'dev/null'), 'c', '1', '3'])
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text, { mode: 0o755 })
  return root
}

async function withSupervisor(root: string): Promise<string> {
  place(root, supervisorFiles({ bundle: await bundle(), glibc, arch }))
  return root
}

function run(root: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}): PidNamespace {
  const space = new PidNamespace({ argv, root, env })
  cleanups.push(() => space.destroy())
  return space
}

const podEnv = (): Record<string, string> => ({ PodName: 'p-0', PodIP: ownAddress(), ServerApp: 'Test', ServerName: "It's", TARSNODE_REGISTRY: 'none', TARSNODE_LOCAL_ADDRESS: ownAddress(), TARSNODE_ON_EXIT: 'exit' })

/** Runs the node image as an init container does; returns the work folder of the pod with what it left there. */
async function installed(env: Readonly<Record<string, string>>): Promise<string> {
  const nodeImage = await withSupervisor(rootWith({}))
  const space = run(nodeImage, [launcherPath(), 'node', 'install'], env)
  expect({ code: exitCode(await space.ended), stderr: space.stderr }).toEqual({ code: 0, stderr: '' })
  return join(nodeImage, workDir)
}

/** Moves the volume of the pod into the container's root. */
function mountVolume(volume: string, root: string): void {
  rmSync(join(root, workDir), { recursive: true })
  execFileSync('mv', [volume, join(root, workDir)])
}

const identity: Readonly<Record<string, string>> = { ...podEnv(), ServerName: 'Echo' }

describe('an injected supervisor', () => {
  it('is started by the entry point of an image of K8SFramework, knowing its pod from the init container alone', async () => {
    const busybox = await debianTool('busybox', 'busybox-static')
    // What their base images bring (spec A.1): the entry point makes the injected script executable and becomes it.
    const entrypoint = `#!/bin/sh\nbusybox chmod +x ${workDir}/util/start.sh\nexec ${workDir}/util/start.sh\n`
    const root = rootWith({ 'bin/entrypoint.sh': entrypoint, 'bin/service': '#!/bin/sh\necho "service of $ServerApp.$ServerName at $ListenAddress below $PPID"\nexit 7\n' })
    for (const name of ['busybox', 'sh']) copyFileSync(busybox, join(root, 'bin', name))
    mountVolume(await installed({ ...identity, ServerVariant: 'far' }), root)
    chmodSync(join(root, workDir, 'util/start.sh'), 0o644)
    const space = run(root, ['/bin/entrypoint.sh'], { PATH: '/bin', ServerType: 'not-tars', ServerLauncherFile: '/bin/service', ServerLauncherArgv: 'service' })
    expect({ code: exitCode(await space.ended), stdout: space.stdout }).toEqual({ code: 7, stdout: 'service of Test.Echo at p-0.test-echo-far below 1\n' })
  })

  it('leaves the names of the reference for who works in the pod', async () => {
    const volume = await installed(identity)
    const names = ['PodName', 'PodIP', 'ListenAddress', 'ServerApp', 'ServerName', 'ServerBaseDir', 'ServerBinDir', 'ServerConfDir', 'ServerDataDir', 'ServerLogDir', 'ServerConfFile', 'ServerLauncherType']
    const base = `${workDir}/data/Test.Echo`
    expect(execFileSync('sh', ['-c', `. ${volume}/util/environment; echo ${names.map((name) => `$${name}`).join(' ')}`], { encoding: 'utf8' })).toBe(
      `p-0 ${identity['PodIP']} p-0.test-echo Test Echo ${base} ${base}/bin ${base}/conf ${base}/data /usr/local/app/tars/app_log ${base}/conf/Test.Echo.config.conf background\n`)
  })

  it('wins over the baked one', async () => {
    const root = await withSupervisor(rootWith({}))
    mountVolume(await installed(identity), root)
    const service = `${workDir}/bin/node`
    const loader = `${workDir}/lib/${loaderName(arch)}`
    const script = `${loader} --library-path ${workDir}/lib ${service} -e 'console.log(require("node:fs").readFileSync("/proc/1/cmdline", "utf8").split("\\0")[0])'`
    const space = run(root, ENTRYPOINT, { ...identity, ServerType: 'not-tars', ServerLauncherFile: loader, ServerLauncherArgv: script })
    expect({ code: exitCode(await space.ended), stdout: space.stdout }).toEqual({ code: 0, stdout: `${loader}\n` })
  })

  it('says what its init container was not told', async () => {
    const nodeImage = await withSupervisor(rootWith({}))
    const space = run(nodeImage, [launcherPath(), 'node', 'install'], { PodName: 'p-0' })
    expect(exitCode(await space.ended)).toBe(255)
    expect(space.stderr).toMatch(/PodIP is required/)
    expect(existsSync(join(nodeImage, workDir, 'bin/tarsk8s'))).toBe(false)
  })
})
