// The supervisor needs nothing of the image, of root, of capabilities or of a writable root: tried by Docker.
import { execFile, execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { composeImage } from '../../imagebuilder/compose.ts'
import { layerFromFiles, type LayerSource } from '../../imagebuilder/layer.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { stageBase } from '../../base-images/rootfs.ts'
import { cppbase } from '../../base-images/cpp/recipe.ts'
import { stagedEntries } from '../../base-images/layer.ts'
import { supervisorLayer } from '../../framework/local/supervisor-layer.ts'
import { ENTRYPOINT } from '../../node/layout.ts'
import { dockerEngine, type DockerEngine } from '../rig/docker.ts'
import { cacheDir, debianTool } from '../rig/tools.ts'
import { removeScratch, scratch } from './rig.ts'

const SERVICE = `#include <stdio.h>
#include <unistd.h>
int main(void) { printf("service of uid %d below %d\\n", getuid(), getppid()); return 3; }
`

let engine: DockerEngine
let folder = ''
beforeAll(async () => {
  folder = scratch('independence')
  engine = await dockerEngine()
})
afterAll(async () => {
  await engine?.stop()
  rmSync(folder, { recursive: true, force: true })
  removeScratch()
})

/** Compiles the service. @param args of the compiler, which decide what it is linked against */
async function compiled(compiler: string, pkg: string, ...args: readonly string[]): Promise<string> {
  const cc = await debianTool(compiler, pkg)
  const [source, program] = [join(folder, 'service.c'), join(folder, `service-${compiler}${args.join('')}`)]
  writeFileSync(source, SERVICE)
  execFileSync(cc, [...args, '-o', program, source])
  return program
}

/** An image of these files, with the supervisor's layer on top. */
async function image(name: string, files: readonly LayerSource[], program: string): Promise<string> {
  const { layer } = await supervisorLayer(join(cacheDir, 'local'))
  const base = await layerFromFiles([...files, { path: '/usr/local/server/bin/Echo', mode: 0o755, source: program }], join(folder, `${name}.tar.gz`))
  await composeImage({ layers: [base, layer], config: { Entrypoint: [...ENTRYPOINT], Env: ['ServerType=not-tars', 'ServerLauncherFile=/usr/local/server/bin/Echo', 'ServerLauncherArgv=Echo'] }, destination: parseLocation(`docker:${name}:test`), docker: { socketPath: engine.socketPath, workspace: folder } })
  return `${name}:test`
}

const env = { PodName: 'p-0', PodIP: '127.0.0.1', ServerApp: 'Test', ServerName: 'Echo', TARSNODE_REGISTRY: 'none', TARSNODE_ON_EXIT: 'exit' }

/** Runs an image as a strict cluster would. */
async function run(name: string, ...options: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const args = ['run', '--rm', '--network', 'none', ...Object.entries(env).flatMap(([key, value]) => ['-e', `${key}=${value}`]), ...options, name]
  const { code, stdout, stderr } = await promisify(execFile)('/usr/bin/docker', args, { env: { ...process.env, DOCKER_HOST: engine.host } }).then(
    (out) => ({ code: 0, ...out }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  )
  return { code, stdout, stderr }
}

const strict = ['--read-only', '--user', '1000:1000', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges', '--tmpfs', '/usr/local/app/tars/tarsnode:uid=1000,mode=755']

describe('the supervisor as PID 1', () => {
  it('runs a static program FROM scratch, as nobody, with no capability and nothing to write to but its work folder', async () => {
    const name = await image('scratch', [], await compiled('gcc', 'gcc', '-static'))
    expect(await run(name, ...strict)).toMatchObject({ code: 3, stdout: 'service of uid 1000 below 1\n' })
  })

  it('runs a musl program where there is no other C library, as on Alpine', async () => {
    const program = await compiled('musl-gcc', 'musl-tools')
    const loader = `/lib/ld-musl-${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}.so.1`
    const name = await image('musl', [{ path: loader, mode: 0o755, source: loader }], program)
    expect(await run(name, ...strict)).toMatchObject({ code: 3, stdout: 'service of uid 1000 below 1\n' })
  })

  it('runs a glibc program on a base without a shell, as distroless ones are', async () => {
    const { root } = await stageBase(cppbase, { cacheDir: join(cacheDir, 'local') })
    const entries = (await stagedEntries(root)).filter(({ path }) => !/\/(busybox|sh|dash|bash)$/.test(path))
    const name = await image('distroless', entries, await compiled('gcc', 'gcc'))
    expect(await run(name, ...strict)).toMatchObject({ code: 3, stdout: 'service of uid 1000 below 1\n' })
  })

  it('says what it needs when it may write nowhere at all', async () => {
    const name = await image('scratch', [], await compiled('gcc', 'gcc', '-static'))
    const refused = await run(name, '--read-only', '--user', '1000:1000')
    expect(refused.code).toBe(255)
    expect(refused.stderr).toMatch(/the folder \S+ cannot be made.*mount a writable volume at \/usr\/local\/app\/tars\/tarsnode/)
  })
})
