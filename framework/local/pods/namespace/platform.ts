import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Failure, describe } from '#base/errors.ts'

const run = promisify(execFile)
const folders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/local/sbin']

/** How this machine lets containers be made. */
export interface Platform {
  readonly unshare: string
  readonly setpriv: string
  /** True without root: containers run in a user namespace, as its only user. */
  readonly userNamespace: boolean
  /** `copy` where overlay mounts are refused (the data folder lies on an overlay itself). */
  readonly rootFileSystem: 'overlay' | 'copy'
  /** Lowest port that a container can listen on. */
  readonly firstPort: number
}

/**
 * Finds out what is possible by trying it, in a folder below `dataDir` that is removed again.
 * @throws PODS_IMPOSSIBLE saying what is missing and what to do
 */
export async function probePlatform(dataDir: string): Promise<Platform> {
  if (process.platform !== 'linux') throw new Failure('PODS_IMPOSSIBLE', `pods need Linux, and this is ${process.platform}`, { remedy: 'run TarsK8S on Linux (a virtual machine will do), or point it at a Kubernetes cluster' })
  const unshare = tool('unshare')
  const setpriv = tool('setpriv')
  const userNamespace = process.getuid?.() !== 0
  const flags = namespaceFlags(userNamespace)
  await run(unshare, [...flags, '--mount-proc', '--', tool('true')]).catch((error: unknown) => {
    throw impossible(userNamespace, error)
  })
  const rootFileSystem = (await overlayWorks(dataDir, unshare, flags, userNamespace)) ? 'overlay' : 'copy'
  const threshold = Number(await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8').catch(() => '1024'))
  return { unshare, setpriv, userNamespace, rootFileSystem, firstPort: userNamespace ? threshold : 1 }
}

/** unshare(1) options of a container: every namespace but the network, which all pods share. */
export function namespaceFlags(userNamespace: boolean): string[] {
  return [...(userNamespace ? ['--user', '--map-root-user'] : []), '--mount', '--pid', '--uts', '--ipc', '--fork', '--kill-child=KILL']
}

async function overlayWorks(dataDir: string, unshare: string, flags: readonly string[], userNamespace: boolean): Promise<boolean> {
  await mkdir(dataDir, { recursive: true })
  const probe = await mkdtemp(join(dataDir, 'probe-'))
  try {
    for (const name of ['lower', 'upper', 'work', 'merged']) await mkdir(join(probe, name))
    const options = `lowerdir=lower,upperdir=upper,workdir=work${userNamespace ? ',userxattr' : ''}`
    await run(unshare, [...flags, '--', tool('mount'), '-t', 'overlay', 'overlay', '-o', options, 'merged'], { cwd: probe })
    return true
  } catch {
    return false
  } finally {
    await rm(probe, { recursive: true, force: true })
  }
}

function tool(name: string): string {
  const found = folders.map((folder) => join(folder, name)).find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  if (found === undefined) throw new Failure('PODS_IMPOSSIBLE', `pods need the program ${name}, which is not installed`, { remedy: 'install the package util-linux' })
  return found
}

function impossible(userNamespace: boolean, cause: unknown): Failure {
  const remedy = userNamespace
    ? 'run as root, or allow user namespaces: sysctl kernel.unprivileged_userns_clone=1, and on Ubuntu sysctl kernel.apparmor_restrict_unprivileged_userns=0'
    : 'inside a container, start it with --privileged; else point TarsK8S at a Kubernetes cluster'
  return new Failure('PODS_IMPOSSIBLE', `this machine does not let ${userNamespace ? 'an ordinary user' : 'root'} make namespaces: ${firstLine(describe(cause))}`, { remedy, cause })
}

function firstLine(text: string): string {
  return text.split('\n').filter((line) => line.trim() !== '').at(-1) ?? text
}
