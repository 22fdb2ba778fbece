// A real service of every server type under the real supervisor: Active by its own heartbeats, ended by SIGTERM.
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { frameworkTemplates } from '#api/seed/templates.ts'
import { resolveChain } from '#api/template.ts'
import { joinConfig } from '#tars/conf.ts'
import { createAdapterDescriptor, createServerDescriptor, type ServerDescriptor } from '#tars/protocol/Registry.ts'
import { bundleAgent, nodeFromNpm } from '../../base-images/nodejs/recipe.ts'
import { serverTypes, type ServerType } from '../../node/launch/plan.ts'
import { javaPackage, javaWar } from '../compat/java-package.ts'
import { eventually } from '../rig/eventually.ts'
import { exitCode, readIfThere, type PidNamespace } from '../rig/pidns.ts'
import { cacheDir, debianTool } from '../rig/tools.ts'
import { NotingRegistry, pod, removeScratch, runtime, scratch, supervise, type Pod } from './rig.ts'

const run = promisify(execFile)
/** Longest build of one program, with a cold cache. */
const BUILD_MS = 300_000
const repo = join(import.meta.dirname, '..', '..')
const sources = join(import.meta.dirname, 'services/languages')
const source = (name: string): string => join(sources, name)
const confOf = (root: string): string => join(root, 'usr/local/app/tars/tarsnode/data/Test.EchoServer/conf/Test.EchoServer.config.conf')

interface Built {
  readonly c: string
  readonly go: string
  readonly jar: string
  readonly war: string
  readonly agent: string
}

/** What compilers and packers make of the sources; the first run on a machine installs them. */
async function buildAll(): Promise<Built> {
  const folder = scratch('languages')
  const gcc = await debianTool('gcc', 'build-essential')
  await run(gcc, ['-Wall', '-Werror', '-o', join(folder, 'c'), source('heartbeat.c')], { timeout: BUILD_MS })
  const go = await debianTool('go', 'golang-go')
  await run(go, ['build', '-o', join(folder, 'go'), source('heartbeat.go')], { timeout: BUILD_MS, env: { ...process.env, GOCACHE: join(cacheDir, 'go-build'), GOFLAGS: '-mod=mod', CGO_ENABLED: '0' } })
  await debianTool('php', 'php-cli')
  await debianTool('python3', 'python3')
  writeFileSync(join(folder, 'node-agent.mjs'), await bundleAgent())
  return { c: join(folder, 'c'), go: join(folder, 'go'), agent: join(folder, 'node-agent.mjs'), jar: await javaPackage(), war: await javaWar() }
}

interface Service {
  readonly template: string
  /** Lines of /tars/application/server above those of the template. */
  readonly profile?: readonly string[]
  readonly servant?: string
  /** What the image sets, from the root of the container. */
  readonly env?: (built: Built, root: string) => Readonly<Record<string, string>>
  /** Files of the package, copied from where they are. */
  readonly files: (built: Built) => Readonly<Record<string, string>>
  readonly serves: RegExp
  /** Asked by its AdminObj or its stop command; else by SIGTERM, because it has neither. */
  readonly leaves: 'asked' | 'told'
  /** What it prints at its end. */
  readonly farewell?: RegExp
}

const java = { template: 'tars.java', servant: 'HelloObj', serves: /The application started successfully/i, leaves: 'asked' } as const
const smallHeap = 'jvmparams=-Xms16m -Xmx128m "-Dgreeting=good day"'

const services: Readonly<Record<Exclude<ServerType, 'not-tars'>, Service>> = {
  cpp: { template: 'tars.cpp', files: ({ c }) => ({ EchoServer: c }), serves: /serving in C as EchoServer/, leaves: 'told', farewell: /leaving in C/ },
  go: { template: 'tars.default', files: ({ go }) => ({ 'release/GoServer': go }), serves: /serving in Go/, leaves: 'told', farewell: /leaving in Go/ },
  'nodejs-pkg': { template: 'tars.nodejs', files: () => ({}), serves: /serving with pid/, leaves: 'asked', farewell: /asked to shut down/ },
  nodejs: {
    template: 'tars.nodejs',
    profile: [`nodejs=${runtime}`],
    env: ({ agent }) => ({ NODE_AGENT_BIN: agent }),
    files: () => ({ 'src/package.json': source('node/package.json'), 'src/server.cjs': source('node/server.cjs') }),
    serves: /serving in JavaScript/,
    leaves: 'asked',
  },
  'java-jar': { ...java, profile: [smallHeap], files: ({ jar }) => ({ 'EchoServer.jar': jar }) },
  'java-war': { ...java, profile: [smallHeap, 'mainclass=com.qq.tars.server.startup.Main'], files: ({ war }) => ({ 'WEB-INF': war }) },
  php: { template: 'tars.php', files: () => ({ 'src/index.php': source('heartbeat.php') }), serves: /serving in PHP/, leaves: 'asked', farewell: /stopping by command\nleaving in PHP/ },
  python: { template: 'tars.default', files: () => ({ 'EchoServer.py': source('heartbeat.py') }), serves: /serving in Python 3 EchoServer.py/, leaves: 'told', farewell: /leaving in Python/ },
  custom: {
    template: 'tars.default',
    env: (_built, root) => ({ ServerLauncherFile: join(root, 'usr/local/server/bin/serve'), ServerLauncherArgv: `'echo service' "--config=${confOf(root)}"` }),
    files: ({ c }) => ({ serve: c }),
    serves: /serving in C as echo service/,
    leaves: 'told', farewell: /leaving in C/,
  },
}

/** The profile as tarsregistry makes it: the template's chain, the server's own lines above it. */
function profileOf(template: string, lines: readonly string[]): string {
  const all = new Map(frameworkTemplates('tars', []).map((one) => [one.metadata.name, one.spec.content] as const))
  const chain = resolveChain(template, (name) => frameworkTemplates('tars', []).find(({ metadata }) => metadata.name === name))
  const own = `<tars>\n<application>\n<server>\n${lines.join('\n')}\n</server>\n</application>\n</tars>\n`
  return [own, ...chain.names.map((name) => all.get(name) ?? '')].reduce((above, below) => joinConfig(above, below, false))
}

/** Its adapter is on the pod's address: a name would be found in the container's hosts file only. That of PHP has it from tarsnode. */
function descriptorOf({ address }: Pod, { template, profile = [], servant = 'EchoObj' }: Pick<Service, 'template' | 'profile' | 'servant'>): ServerDescriptor {
  const adapter = createAdapterDescriptor({ adapterName: `Test.EchoServer.${servant}Adapter`, endpoint: `tcp -h ${template === 'tars.php' ? '${localip}' : address} -p 10000 -t 60000`, threadNum: 1, maxConnections: 1024, servant: `Test.EchoServer.${servant}`, queuecap: 100, queuetimeout: 4000, protocol: 'tars' })
  return createServerDescriptor({ profile: profileOf(template, profile), asyncThreadNum: 1, adapters: new Map([[adapter.adapterName, adapter]]) })
}

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})
afterAll(removeScratch)

/** A container with these files as its package. */
async function container(type: ServerType, service: Service, built: Built): Promise<{ readonly registry: NotingRegistry; readonly place: Pod }> {
  const registry = new NotingRegistry(undefined)
  await registry.start()
  cleanups.push(() => registry.stop())
  const bare = pod(registry, { ServerType: type })
  registry.descriptor = descriptorOf(bare, service)
  const bin = join(bare.root, 'usr/local/server/bin')
  const files = Object.entries(service.files(built))
  if (files.length > 0) rmSync(join(bin, 'EchoServer'))
  for (const [name, from] of files) {
    mkdirSync(dirname(join(bin, name)), { recursive: true })
    cpSync(from, join(bin, name), { recursive: true })
  }
  if (type === 'nodejs') symlinkSync(join(repo, 'node_modules'), join(bin, 'node_modules'))
  return { registry, place: { ...bare, env: { ...bare.env, ...service.env?.(built, bare.root) } } }
}

async function start(place: Pod): Promise<PidNamespace> {
  const space = await supervise(place)
  cleanups.push(() => space.destroy())
  return space
}

describe('every server type', () => {
  let built: Built
  beforeAll(async () => {
    built = await buildAll()
  }, 1_200_000)

  it('has a service here', () => {
    expect([...Object.keys(services), 'not-tars'].toSorted()).toEqual(serverTypes.toSorted())
  })

  it.each(Object.entries(services) as [ServerType, Service][])('%s', async (type, service) => {
    const { registry, place } = await container(type, service, built)
    const space = await start(place)
    const told = await registry.report(({ present, message }) => present === 'Active' || message !== '')
    expect(told, space.stderr).toMatchObject({ present: 'Active', setting: 'Active', restarts: 0, message: '' })
    await space.output(service.serves)
    space.kill('SIGTERM')
    expect(exitCode(await space.ended), space.stderr).toBe(0)
    expect(space.stdout).toMatch(service.farewell ?? /./)
    expect(space.stderr.includes('shutdown was refused'), space.stderr).toBe(service.leaves === 'told')
    expect(registry.story).toEqual(['Inactive', 'Activating', 'Active', 'Deactivating', 'Inactive'])
  })
  it('a profile that changed is read at the next launch: entrance and environment', async () => {
    const service: Service = { ...services.python, profile: ['env=GREETING=first'], files: () => ({ 'main.py': source('heartbeat.py'), 'work/other.py': source('heartbeat.py') }) }
    const { registry, place } = await container('python', service, built)
    const space = await start(place)
    await space.output(/serving in Python 3 main.py first\n/)
    await registry.report(({ present }) => present === 'Active')
    registry.descriptor = descriptorOf(place, { ...service, profile: ['env=GREETING=second|UNUSED=', 'entrance=work/other.py'] })
    process.kill(space.processes()[1]?.pid ?? 0, 'SIGKILL')
    await space.output(/serving in Python 3 other.py second\n/)
  })

  it.each([
    ['fails', 'exit(3);', /shutdown was refused.*the stop command of the service exited with code 3/],
    ['hangs', 'echo "stopping\n"; sleep(3600);', /^stopping\n/m],
  ])('php: a stop command that %s is followed by SIGTERM', async (_what, stop, says) => {
    const script = join(scratch('php'), 'index.php')
    writeFileSync(script, `<?php if (($argv[2] ?? '') === 'stop') { ${stop} } echo "serving\n"; sleep(3600);`)
    const { place } = await container('php', { ...services.php, files: () => ({ 'src/index.php': script }) }, built)
    const space = await start(place)
    await space.output(/serving/)
    space.kill('SIGTERM')
    expect(exitCode(await space.ended)).toBe(143)
    expect(space.stdout + space.stderr).toMatch(says)
  })

  it.each([22, 24] as const)('nodejs: the same agent and service on Node %i', async (release) => {
    const node = await nodeFromNpm(release, { cacheDir: join(cacheDir, 'local') })
    const { registry, place } = await container('nodejs', { ...services.nodejs, profile: [`nodejs=${node}`] }, built)
    const space = await start(place)
    await registry.report(({ present }) => present === 'Active')
    await space.output(services.nodejs.serves)
    const programs = (): (string | undefined)[] => space.processes().map(({ pid }) => readIfThere(() => readlinkSync(`/proc/${pid}/exe`)))
    // The agent and, by the template, two workers.
    await eventually(() => programs().filter((program) => program === node).length === 3)
    space.kill('SIGTERM')
    expect(exitCode(await space.ended), space.stderr).toBe(0)
    expect(space.stderr).not.toMatch(/shutdown was refused/)
  }, BUILD_MS)

  it('nodejs: a package without a script says where one was looked for', async () => {
    const { registry, place } = await container('nodejs', { ...services.nodejs, files: () => ({ 'src/data.json': source('node/package.json') }) }, built)
    await start(place)
    const { message } = await registry.report((report) => report.message !== '')
    expect(message).toMatch(/last output: node-agent: no script to run in \S+; looked there for server\.js, .*, src\/index\.js/)
  })

  it.each([
    ['python', ['python=/opt/none/python'], 'no executable "/opt/none/python"; looked for /opt/none/python'],
    ['php', ['entrance=src/none.php'], 'server<entrance> names is missing; looked for <bin>/src/none.php; the package holds src'],
    ['java-war', ['classpath=none:lib/*', 'mainclass=Main'], 'nothing of the class path is there; looked for <bin>/none, <bin>/lib'],
  ] as const)('%s: what is missing is said in the state, with where it was looked for', async (type, profile, said) => {
    const { registry, place } = await container(type, { ...services[type], profile }, built)
    const space = await start(place)
    const { present, message } = await registry.report((report) => report.message !== '')
    expect({ present, message }).toMatchObject({ present: 'Inactive', message: expect.stringMatching(/^cannot start: /) })
    expect(message).toContain(said.replaceAll('<bin>', join(dirname(dirname(confOf(place.root))), 'bin')))
    space.kill('SIGTERM')
    await space.ended
  })
})
