// The Docker engine as destination: the image is loaded, and runs.
import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { composeImage } from '../../imagebuilder/compose.ts'
import { layerFromFiles } from '../../imagebuilder/layer.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { dockerEngine, type DockerEngine } from '../rig/docker.ts'
import { debianTool } from '../rig/tools.ts'
import { tgz, write } from './rig/archives.ts'
import { startOciRegistry, workbench, type Workbench } from './rig/image.ts'

let bench: Workbench
let engine: DockerEngine

beforeAll(async () => {
  ;[bench, engine] = await Promise.all([workbench(), dockerEngine()])
})
afterAll(async () => {
  await engine.stop()
  await bench.clean()
})

test('an image on a static base is loaded by dockerode and runs its entry point', async () => {
  const busybox = await debianTool('busybox', 'busybox-static')
  const isStatic = execFileSync('file', ['-L', busybox]).toString().includes('statically')
  const files = isStatic ? [] : execFileSync('ldd', [busybox]).toString().match(/\/\S+/g) ?? []
  const base = await layerFromFiles([{ path: '/bin/busybox', mode: 0o755, source: busybox }, { path: '/bin/sh', link: 'busybox' }, ...files.map((source) => ({ path: source, mode: 0o755, source }))], bench.path('busybox.tar.gz'))
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'
  await composeImage({ layers: [base], config: { Env: ['PATH=/bin'] }, destination: parseLocation(`oci:${bench.path('layout')}:base`), platform: { os: 'linux', architecture } })
  const file = await write(bench.path('release.tgz'), tgz([{ name: 'HelloServer', mode: 0o755, content: '#!/bin/sh\necho "I am a $ServerType server"\n' }]))
  const supervisor = { ...bench.supervisor, entrypoint: ['/bin/sh', '/usr/local/server/bin/HelloServer'] }
  const built = await bench.build('unused.invalid', { package: file, base: parseLocation(`oci:${bench.path('layout')}:base`), supervisors: [supervisor], destination: parseLocation('docker:demo.helloserver:v1'), docker: { socketPath: engine.socketPath, workspace: bench.dir }, platforms: [{ os: 'linux', architecture }] })
  expect(built.image).toBe('demo.helloserver:v1')
  expect(await engine.docker('run', '--rm', '--network', 'none', 'demo.helloserver:v1')).toBe('I am a cpp server\n')
})

test('an image in our registry is pulled and runs', async () => {
  const registry = await startOciRegistry({ dir: bench.path('registry') })
  try {
    const supervisor = { ...bench.supervisor, entrypoint: ['/bin/sh', '/usr/local/server/bin/HelloServer'] }
    const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'
    const { image } = await bench.build('unused.invalid', { package: bench.path('release.tgz'), serverType: 'go', base: parseLocation(`oci:${bench.path('layout')}:base`), supervisors: [supervisor], destination: parseLocation(`${registry.address}/tars/demo.helloserver:v1`), platforms: [{ os: 'linux', architecture }] })
    expect(await engine.docker('run', '--rm', '--network', 'none', image)).toBe('I am a go server\n')
  } finally {
    await registry.stop()
  }
})

test('an engine that is not there is named', async () => {
  const work = bench.build('unused.invalid', { package: bench.path('release.tgz'), base: parseLocation(`oci:${bench.path('layout')}:base`), destination: parseLocation('docker:x:1'), docker: { socketPath: bench.path('none.sock'), workspace: bench.dir } })
  await expect(work).rejects.toMatchObject({ code: 'DOCKER_UNREACHABLE' })
})
