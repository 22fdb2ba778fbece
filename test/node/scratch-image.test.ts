import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { supervisorFiles } from '../../node/files.ts'
import { ENTRYPOINT, loaderName, supervisorCommand, type Architecture } from '../../node/layout.ts'
import { exitCode, PidNamespace } from '../rig/pidns.ts'
import { bundle, command, ownAddress, place, removeScratch, scratch } from './rig.ts'

afterAll(removeScratch)

const arch = process.arch as Architecture
/** Where this machine's own glibc is; a layer takes it from Debian's packages. */
const glibc = ['/lib/x86_64-linux-gnu', '/lib/aarch64-linux-gnu', '/lib64'].find((folder) => existsSync(join(folder, loaderName(arch)))) ?? '/lib'

/** A container root with nothing in it but what every container runtime mounts, and the supervisor's layer. */
async function scratchRoot(): Promise<string> {
  const root = scratch('image')
  for (const folder of ['proc', 'dev', 'usr/local/server/bin']) mkdirSync(join(root, folder), { recursive: true })
  execFileSync('mknod', [join(root, 'dev/null'), 'c', '1', '3'])
  place(root, supervisorFiles({ bundle: await bundle(), glibc, arch }))
  return root
}

let space: PidNamespace | undefined
let root: string | undefined
afterEach(async () => {
  await space?.destroy()
  if (root !== undefined) rmSync(root, { recursive: true, force: true })
})

describe('the supervisor in an image FROM scratch', () => {
  it('starts from its own files alone and runs a service to its end', async () => {
    root = await scratchRoot()
    // The only program in an empty image is the supervisor's own runtime, so that is the service.
    const [loader, ...rest] = supervisorCommand(arch).slice(0, 4)
    const service = command(loader ?? '', `${[loader, ...rest].join(' ')} -e 'console.log("from scratch", process.ppid); process.exitCode = 3'`)
    const env = { PodName: 'p-0', PodIP: ownAddress(), ServerApp: 'Test', ServerName: 'Scratch', ServerType: 'not-tars', TARSNODE_REGISTRY: 'none', TARSNODE_LOCAL_ADDRESS: ownAddress(), TARSNODE_ON_EXIT: 'exit', ...service }
    space = new PidNamespace({ argv: ENTRYPOINT, root, env })
    const ended = await space.ended
    expect(space.stderr).not.toContain('"level":"error"')
    expect({ code: exitCode(ended), stdout: space.stdout }).toEqual({ code: 3, stdout: 'from scratch 1\n' })
  })

  it.each(['background', 'foreground'])('is not told what to load by what the environment tells the loader and the runtime of its service, in the %s', async (LauncherType) => {
    root = await scratchRoot()
    const [loader, ...rest] = supervisorCommand(arch).slice(0, 4)
    // Loaded into whichever runtime obeys, whose own words it shows.
    writeFileSync(join(root, 'told.js'), `const { LD_PRELOAD, LD_LIBRARY_PATH, NODE_OPTIONS, NODE_AGENT_BIN } = process.env
console.log(JSON.stringify([process.execArgv, { LD_PRELOAD, LD_LIBRARY_PATH, NODE_OPTIONS, NODE_AGENT_BIN }]))
process.exit(4)
`)
    const env = { LD_PRELOAD: '/none/jemalloc.so', LD_LIBRARY_PATH: '/none', NODE_OPTIONS: '--require=/told.js', NODE_AGENT_BIN: '/agent' }
    const pod = { PodName: 'p-0', PodIP: ownAddress(), ServerApp: 'Test', ServerName: 'Scratch', ServerType: 'not-tars', LauncherType, TARSNODE_REGISTRY: 'none', TARSNODE_LOCAL_ADDRESS: ownAddress(), TARSNODE_ON_EXIT: 'exit' }
    space = new PidNamespace({ argv: ENTRYPOINT, root, env: { ...pod, ...env, ...command(loader ?? '', [loader, ...rest, '-e', '0'].join(' ')) } })
    const ended = await space.ended
    expect({ code: exitCode(ended), stdout: space.stdout }).toEqual({ code: 4, stdout: `${JSON.stringify([['-e', '0'], env])}\n` })
    // Of all loaders only that of unshare, which makes the namespace, and the service's looked for it.
    expect(space.stderr.match(/^ERROR: ld.so: object '\/none\/jemalloc.so'/gm)).toHaveLength(2)
  })
})
