// The main job end to end, as a user does it: `npm start`'s own process, the operator's commands, kubectl, real services.
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ServerList, ServerRow } from '../../framework/admin/contract.ts'
import { helloIdl, packSamples } from '../../framework/local/samples/pack.ts'
import { javaPackage } from '../compat/java-package.ts'
import { LocalCluster, run, until, type Output } from '../rig/local-cluster.ts'
import { dockerEngine } from '../rig/docker.ts'
import { cacheDir, goTool } from '../rig/tools.ts'

let cluster: LocalCluster
const scratch = await mkdtemp(join(tmpdir(), 'tarsk8s-main-'))

beforeAll(async () => {
  cluster = await LocalCluster.start(['--samples', '--cache', join(cacheDir, 'local')])
})

afterAll(async () => {
  await cluster?.remove()
  await rm(scratch, { recursive: true, force: true })
})

function ok({ code, out, err }: Output): string {
  expect(err + out, 'exit code 0 expected').not.toBe('')
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' })
  return out
}

async function row(name: string): Promise<ServerRow | undefined> {
  const list = JSON.parse(ok(await cluster.cli('status', '--json'))) as ServerList
  return list.servers.find(({ app, server }) => `${app}.${server}` === name)
}

interface Answer {
  readonly return: number
  readonly greeting: { readonly text: string; readonly server: string; readonly pid: number; readonly trail: Readonly<Record<string, string>> | readonly [string, string][] }
}

async function call(object: string, name: string, ...args: string[]): Promise<Answer> {
  return JSON.parse(ok(await cluster.cli('call', object, name, ...args, '--tars', helloIdl))) as Answer
}

const hello = 'Demo.HelloServer.HelloObj'
const protocol = join(import.meta.dirname, '../../framework/lib/tars/protocol')
const native = 'Demo.NativeServer.HelloObj'

/** The host's pid of the process that has `pid` in the pod's own PID namespace and this text in its command line. */
async function hostPid(pid: string, commandLine: string): Promise<number> {
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  for (const candidate of all) {
    const [status, command] = await Promise.all([readFile(`/proc/${candidate}/status`, 'utf8'), readFile(`/proc/${candidate}/cmdline`, 'utf8')]).catch(() => ['', ''])
    const inner = /^NSpid:\s+(?:\d+\s+)+(\d+)$/m.exec(status)?.[1]
    if (inner === pid && command.includes(commandLine) && (await belongs(candidate))) return Number(candidate)
  }
  throw new Error(`no process ${pid} with "${commandLine}"`)
}

/** Whether a process lives in a mount namespace that this cluster's data directory is part of. */
async function belongs(pid: string): Promise<boolean> {
  return (await readFile(`/proc/${pid}/mountinfo`, 'utf8').catch(() => '')).includes(cluster.dataDir)
}

describe('two services of ordinary users', () => {
  it('are active in the registry', async () => {
    expect((await row('Demo.HelloServer'))?.state).toBe('Active')
    expect((await row('Demo.NativeServer'))?.pods.map(({ presentState }) => presentState)).toEqual(['Active'])
  })

  it('answer calls through the registry', async () => {
    expect((await call(hello, 'greet', '"you"')).greeting).toMatchObject({ text: 'Hello, you!', server: 'Demo.HelloServer' })
    expect((await call(native, 'greet', '"you"')).greeting).toMatchObject({ text: 'Hello, you!', server: 'Demo.NativeServer' })
  })

  it('call each other through the registry', async () => {
    const there = await call(hello, 'relay', native, '"you"')
    expect(there).toMatchObject({ return: 0, greeting: { server: 'Demo.NativeServer' } })
    expect(JSON.stringify(there.greeting.trail)).toContain('Demo.HelloServer')
    expect(await call(native, 'relay', hello, '"you"')).toMatchObject({ return: 0, greeting: { server: 'Demo.HelloServer' } })
  })

  it('run under tarsnode as PID 1 of a PID namespace of their own', async () => {
    const pid = (await row('Demo.HelloServer'))?.pods[0]?.pid ?? ''
    const agent = await hostPid(pid, 'node-agent')
    const status = await readFile(`/proc/${agent}/status`, 'utf8')
    const parent = /^PPid:\s+(\d+)$/m.exec(status)?.[1] ?? ''
    expect(/^NSpid:.*\s1$/m.test(await readFile(`/proc/${parent}/status`, 'utf8'))).toBe(true)
    expect(await readFile(`/proc/${parent}/cmdline`, 'utf8')).toContain('/tarsnode/tarsnode.')
    expect(await readlink(`/proc/${agent}/ns/pid`)).not.toBe(await readlink('/proc/self/ns/pid'))
  })

  it('read their configuration through tarsconfig and report to tarsnotify', async () => {
    const config = { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TConfig', metadata: { name: 'demo-helloserver-motd' }, app: 'Demo', server: 'HelloServer', configName: 'motd.conf', configContent: 'be kind\n', activated: true }
    ok(await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(config)))
    const content = await until(async () => {
      const { return: code, content: text } = JSON.parse(ok(await cluster.cli('call', hello, 'readConfig', '"motd.conf"', '--tars', helloIdl))) as { return: number; content: string }
      return code === 0 && text
    })
    expect(content).toBe('be kind\n')
    const { adminUrl } = await cluster.info()
    await until(async () => (await (await fetch(`${adminUrl}/api/v1/servers/demo-helloserver/notifications`)).text()).includes('restart'))
  })

  it('are seen by kubectl, and their output too', async () => {
    expect(ok(await cluster.kubectl(['get', 'tservers,timages,pods,statefulsets,services']))).toMatch(/tserver\.k8s\.tars\.io\/demo-helloserver[^]*timage\.k8s\.tars\.io\/demo-helloserver[^]*pod\/demo-helloserver-0\s+1\/1\s+Running/)
    expect(ok(await cluster.kubectl(['logs', 'demo-helloserver-0']))).toContain('HelloServer started')
    expect(ok(await cluster.cli('logs', 'Demo.HelloServer', '--tail', '50'))).toContain('HelloServer started')
  })

  it('are active again after kill -9, and the dead process is never shown as active afterwards', async () => {
    const before = (await row('Demo.HelloServer'))?.pods[0]?.pid ?? ''
    const victim = await hostPid(before, 'node-agent')
    const watching = watchReasons('demo-helloserver-0')
    await watching.ready
    process.kill(victim, 'SIGKILL')
    const reasons = await watching.until((reason) => /^Active\/Active\//.test(reason) && reason !== `Active/Active/${before}`)
    watching.stop()
    const first = reasons.findIndex((reason) => reason !== `Active/Active/${before}`)
    expect(reasons.slice(first)).not.toContain(`Active/Active/${before}`)
    // tarsadmin has a watch of its own.
    const after = await until(async () => (await row('Demo.HelloServer'))?.pods.find(({ pid, presentState }) => pid !== before && presentState === 'Active'))
    expect(after.restarts).toBe(1)
    expect((await call(hello, 'greet', '"again"')).greeting.text).toBe('Hello, again!')
  })

  it('are stopped, started and restarted by command, and the registry follows', async () => {
    ok(await cluster.cli('stop', 'Demo.NativeServer'))
    await until(async () => (await row('Demo.NativeServer'))?.pods[0]?.presentState === 'Inactive')
    const gone = await cluster.cli('call', native, 'greet', '"you"', '--tars', helloIdl)
    expect(gone.code).toBe(1)
    expect(gone.err).toContain(native)
    ok(await cluster.cli('start', 'Demo.NativeServer'))
    await until(async () => (await row('Demo.NativeServer'))?.pods[0]?.presentState === 'Active')
    const { pid } = (await row('Demo.NativeServer'))?.pods[0] ?? {}
    ok(await cluster.cli('restart', 'Demo.NativeServer'))
    await until(async () => {
      const pod = (await row('Demo.NativeServer'))?.pods[0]
      return pod?.presentState === 'Active' && pod.pid !== pid
    })
    expect((await call(native, 'greet', '"you"')).return).toBe(0)
  })

  it('are administered by AdminRegObj, which the registry knows', async () => {
    const ask = async (name: string, ...args: string[]) => JSON.parse(ok(await cluster.cli('call', 'tars.tarsAdminRegistry.AdminRegObj', name, ...args, '--tars', join(protocol, 'AdminReg.tars')))) as { readonly return: unknown }
    const where = async () => {
      const { activeEp, inactiveEp } = JSON.parse(ok(await cluster.cli('call', 'tars.tarsregistry.QueryObj', 'findObjectById4Any', `"${hello}"`, '--tars', join(protocol, 'QueryF.tars')))) as { activeEp: unknown[]; inactiveEp: unknown[] }
      return [activeEp.length, inactiveEp.length]
    }
    const of = ['"Demo"', '"HelloServer"', '"demo-helloserver-0"']
    const pid = (await row('Demo.HelloServer'))?.pods[0]?.pid
    expect(await ask('getServerState', ...of)).toMatchObject({ return: 0, state: { presentStateInReg: 'active', presentStateInNode: 'Active', processId: Number(pid) } })
    expect(await ask('updateServerFlowState', '"Demo"', '"HelloServer"', '["demo-helloserver-0"]', 'false')).toBe(0)
    await until(async () => JSON.stringify(await where()) === '[0,1]')
    expect(await ask('updateServerFlowState', '"Demo"', '"HelloServer"', '["demo-helloserver-0"]', 'true')).toBe(0)
    await until(async () => JSON.stringify(await where()) === '[1,0]')
    expect(await ask('restartServer', ...of)).toMatchObject({ return: 0 })
    await until(async () => {
      const pod = (await row('Demo.HelloServer'))?.pods[0]
      return pod?.presentState === 'Active' && pod.pid !== pid
    })
  })

  it('follow kubectl scale, edit and delete', async () => {
    ok(await cluster.kubectl(['scale', 'tserver', 'demo-helloserver', '--replicas=2']))
    await until(async () => (await row('Demo.HelloServer'))?.ready === 2)
    ok(await cluster.kubectl(['scale', 'tserver', 'demo-helloserver', '--replicas=1']))
    // The one that goes serves on for callers that have not heard of it yet, and is in no answer of the registry.
    await until(async () => (await row('Demo.HelloServer'))?.pods.map(({ presentState }) => presentState).join() === 'Active,Terminating')
    const editor = join(scratch, 'editor.sh')
    await writeFile(editor, '#!/bin/sh\nsed -i "s/important: .*/important: 4/" "$1"\n', { mode: 0o755 })
    const kubectl = await run('kubectl', ['--kubeconfig', join(cluster.dataDir, 'kubeconfig'), '-n', 'tars', 'edit', 'tserver', 'demo-helloserver'], { env: { ...process.env, EDITOR: editor, KUBE_EDITOR: editor } })
    ok(kubectl)
    expect(ok(await cluster.kubectl(['get', 'tserver', 'demo-helloserver', '-o', 'jsonpath={.spec.important}']))).toBe('4')
  })

  it.each(['tservers', 'timages', 'pods'])('are watched by kubectl get %s -w while they change', async (kind) => {
    const watch = spawn('kubectl', ['--kubeconfig', join(cluster.dataDir, 'kubeconfig'), '-n', 'tars', 'get', kind, '-w'], { stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      const lines = createInterface({ input: watch.stdout })[Symbol.asyncIterator]()
      const next = async (text: string): Promise<void> => {
        for (;;) {
          const { value, done } = await lines.next()
          if (done === true) throw new Error(`kubectl get ${kind} -w ended`)
          if ((value as string).includes(text)) return
        }
      }
      await next('demo-nativeserver')
      const object = kind === 'pods' ? 'demo-nativeserver-0' : 'demo-nativeserver'
      ok(await cluster.kubectl(['label', '--overwrite', kind, object, `watched=${Date.now()}`]))
      await next('demo-nativeserver')
    } finally {
      watch.kill()
    }
  })
})

/** Collects the reasons of a pod's tars.io/active condition as kubectl's watch shows them. */
function watchReasons(pod: string): { readonly ready: Promise<void>; until(probe: (reason: string) => boolean): Promise<string[]>; stop(): void } {
  const reasons: string[] = []
  const abort = new AbortController()
  let wake = Promise.withResolvers<void>()
  const first = Promise.withResolvers<void>()
  void (async () => {
    const { kubeClientFrom } = await import('#kube/client.ts')
    const { pods } = await import('#kube/resources.ts')
    const client = kubeClientFrom({ KUBECONFIG: join(cluster.dataDir, 'kubeconfig') })
    const { metadata } = await client.list(pods, { namespace: 'tars' })
    first.resolve()
    for await (const { object } of client.watch(pods, { namespace: 'tars', resourceVersion: metadata.resourceVersion ?? '0', signal: abort.signal })) {
      if (object.metadata?.name !== pod) continue
      const condition = (object['status']?.conditions as { type: string; reason?: string }[] | undefined)?.find(({ type }) => type === 'tars.io/active')
      if (condition?.reason !== undefined && condition.reason !== reasons.at(-1)) reasons.push(condition.reason)
      wake.resolve()
      wake = Promise.withResolvers()
    }
  })().catch(() => {})
  return {
    ready: first.promise,
    async until(probe) {
      while (!reasons.some(probe)) await wake.promise
      return reasons
    },
    stop: () => abort.abort(),
  }
}

describe('a Java service on TarsJava', () => {
  it('runs from its jar, is called, calls a Node service, reads its configuration', async () => {
    const jar = await javaPackage()
    ok(await cluster.cli('base', 'java'))
    ok(await cluster.cli('release', jar, '--app', 'Demo', '--server', 'JavaServer', '--type', 'java-jar'))
    const profile = join(scratch, 'java.conf')
    await writeFile(profile, '<tars>\n  <application>\n    <server>\n      jvmparams=-Xms64m -Xmx256m\n    </server>\n  </application>\n</tars>\n')
    ok(await cluster.cli('deploy', '--app', 'Demo', '--server', 'JavaServer', '--servant', 'HelloObj:10003', '--template', 'tars.java', '--profile', profile))
    expect((await row('Demo.JavaServer'))?.state).toBe('Active')
    const java = 'Demo.JavaServer.HelloObj'
    expect((await call(java, 'greet', '"Java"')).greeting).toMatchObject({ text: 'Hello, Java!', server: 'Demo.JavaServer' })
    expect(await call(java, 'relay', hello, '"you"')).toMatchObject({ return: 0, greeting: { server: 'Demo.HelloServer' } })
    expect(await call(hello, 'relay', java, '"you"')).toMatchObject({ return: 0, greeting: { server: 'Demo.JavaServer' } })
    const config = { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TConfig', metadata: { name: 'demo-javaserver-app' }, app: 'Demo', server: 'JavaServer', configName: 'app.conf', configContent: 'colour=green\n', activated: true }
    ok(await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(config)))
    await until(async () => ok(await cluster.cli('call', java, 'readConfig', '"app.conf"', '--tars', helloIdl)).includes('colour=green'))
    const { adminUrl } = await cluster.info()
    await until(async () => (await (await fetch(`${adminUrl}/api/v1/servers/demo-javaserver/notifications`)).text()).includes('reading app.conf'))
  })
})

describe('what goes wrong', () => {
  it('a crash loop is seen in status with its reason', async () => {
    const folder = join(scratch, 'CrashServer')
    await mkdir(folder)
    await writeFile(join(folder, 'package.json'), '{"name":"crash","main":"server.js"}')
    await writeFile(join(folder, 'server.js'), "console.error('database password is missing')\nprocess.exit(3)\n")
    ok(await run('tar', ['-C', scratch, '-czf', join(scratch, 'CrashServer.tgz'), 'CrashServer']).then((result) => ({ ...result, out: 'packed' })))
    ok(await cluster.cli('release', join(scratch, 'CrashServer.tgz'), '--app', 'Demo', '--server', 'CrashServer', '--type', 'nodejs'))
    const deploying = cluster.cli('deploy', '--app', 'Demo', '--server', 'CrashServer', '--servant', 'HelloObj:10009', '--template', 'tars.nodejs', '--timeout', '20')
    const message = await until(async () => {
      const found = await row('Demo.CrashServer')
      return found?.pods[0]?.message.includes('database password is missing') === true && found.pods[0].message
    })
    expect(message).toMatch(/exit|code/)
    expect(ok(await cluster.cli('status', 'Demo.CrashServer'))).toContain('database password is missing')
    expect((await deploying).code).toBe(1)
    ok(await cluster.kubectl(['delete', 'tserver', 'demo-crashserver']))
    await until(async () => (await row('Demo.CrashServer')) === undefined)
  })

  const server = (change: object): string =>
    JSON.stringify({ apiVersion: 'k8s.tars.io/v1beta3', kind: 'TServer', metadata: { name: 'demo-bad' }, spec: { app: 'Demo', server: 'Bad', subType: 'tars', tars: { template: 'tars.default', servants: [{ name: 'AObj', port: 10100 }] }, k8s: {} }, ...change })
  const spec = (tars: object): object => ({ spec: { app: 'Demo', server: 'Bad', subType: 'tars', tars, k8s: {} } })

  it.each([
    ['a wrong name', { metadata: { name: 'other' } }, 'unexpected resource name'],
    ['port 19385', spec({ template: 'tars.default', servants: [{ name: 'AObj', port: 19385 }] }), '19385'],
    ['duplicate servants', spec({ template: 'tars.default', servants: [{ name: 'AObj', port: 10100 }, { name: 'aobj', port: 10101 }] }), 'duplicate servant name value'],
    ['an unknown template', spec({ template: 'tars.none', servants: [{ name: 'AObj', port: 10100 }] }), 'tars.none'],
  ])('kubectl is told about %s, and nothing is created', async (_what, change, text) => {
    const { code, err } = await cluster.kubectl(['apply', '-f', '-'], server(change))
    expect(code).toBe(1)
    expect(err).toContain(text)
    expect((await cluster.kubectl(['get', 'tserver', 'demo-bad'])).code).toBe(1)
  })

  it.each([
    ['no archive', async (file: string) => writeFile(file, 'just text')],
    ['no executable of the expected name', async (file: string) => void (await run('tar', ['-C', scratch, '-czf', file, '--transform', 's,^,EmptyServer/,', 'readme.txt']))],
  ])('release refuses a package that is %s, and records no release', async (what, make) => {
    await writeFile(join(scratch, 'readme.txt'), 'nothing else here')
    const file = join(scratch, `${what.replaceAll(' ', '-')}.tgz`)
    await make(file)
    const { code, err } = await cluster.cli('release', file, '--app', 'Demo', '--server', 'EmptyServer', '--type', 'cpp')
    expect(code).toBe(1)
    expect(err.length).toBeGreaterThan(20)
    const releases = await cluster.kubectl(['get', 'timage', 'demo-emptyserver', '-o', 'jsonpath={.releases}'])
    expect(releases.out === '' || releases.out === '[]').toBe(true)
  })
})

describe('the images', () => {
  const crane = async (...args: string[]): Promise<string> => ok(await run(await goTool('github.com/google/go-containerregistry/cmd/crane', 'v0.22.1'), ['--insecure', ...args]))

  it('are valid, and the same package released twice has the same digest', async () => {
    const [{ file }] = await packSamples({ cacheDir: join(cacheDir, 'local') })
    const release = async (tag: string): Promise<string> => {
      const { image } = JSON.parse(ok(await cluster.cli('release', file, '--app', 'Demo', '--server', 'HelloServer', '--type', 'nodejs', '--tag', tag, '--json'))) as { image: string }
      return image
    }
    const [first, second] = [await release('same-1'), await release('same-2')]
    expect(first).not.toBe(second)
    expect(await crane('validate', '--remote', first)).toContain('PASS')
    expect(await crane('digest', first)).toBe(await crane('digest', second))
  })

  it('run under Docker, too, and answer', async () => {
    const info = await cluster.info()
    const subnet = (info['registry'] ?? '').split('.').slice(0, 3).join('.')
    const registryHost = /-h (\S+)/.exec(info['locator'] ?? '')?.[1] ?? ''
    const engine = await dockerEngine({ insecureRegistries: [info['registry'] ?? ''] })
    try {
      const image = (await row('Demo.HelloServer'))?.release?.image ?? ''
      const env = { Namespace: 'tars', PodName: 'docker-0', PodIP: `${subnet}.200`, ServerApp: 'Demo', ServerName: 'HelloServer', TARSNODE_LOCAL_ADDRESS: `${subnet}.200` }
      const id = (await engine.docker('run', '-d', '--network', 'host', '--add-host', `tars-tarsregistry:${registryHost}`, ...Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]), image)).trim()
      const answer = await until(async () => {
        const result = await cluster.cli('call', `${hello}@tcp -h ${subnet}.200 -p 10001`, 'greet', '"Docker"', '--tars', helloIdl)
        if (result.code !== 0) expect((await engine.docker('ps', '-q', '--no-trunc')).trim(), await engine.docker('logs', id)).toBe(id)
        return result.code === 0 && (JSON.parse(result.out) as Answer)
      })
      expect(answer.greeting.text).toBe('Hello, Docker!')
      await engine.docker('stop', '-t', '30', id)
      expect((await engine.docker('inspect', '-f', '{{.State.ExitCode}} {{.State.OOMKilled}}', id)).trim()).toBe('0 false')
    } finally {
      await engine.stop()
    }
  })
})

describe('the cluster itself', () => {
  it('after kill -9 of all of it, the next start cleans up and resumes', async () => {
    const { dataDir } = cluster
    await cluster.kill9()
    await until(async () => !(await processesOf(dataDir)).length)
    cluster = await LocalCluster.start(['--samples', '--cache', join(cacheDir, 'local')], dataDir)
    expect((await row('Demo.HelloServer'))?.state).toBe('Active')
    expect((await call(native, 'relay', hello, '"you"')).return).toBe(0)
  })

  it('Ctrl-C stops every pod in order and leaves no process, mount or file outside its directory', async () => {
    const { dataDir } = cluster
    expect(await cluster.stop()).toBe(0)
    expect(await processesOf(dataDir)).toEqual([])
    expect((await readFile('/proc/self/mountinfo', 'utf8')).split('\n').filter((line) => line.includes(dataDir))).toEqual([])
  })
})

/** Processes that still use the data directory: by mount namespace, working directory or command line. */
async function processesOf(dataDir: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)) {
    const parts = await Promise.all([readFile(`/proc/${pid}/cmdline`, 'utf8'), readFile(`/proc/${pid}/mountinfo`, 'utf8'), readlink(`/proc/${pid}/cwd`)].map((part) => part.catch(() => '')))
    if (parts.some((part) => part.includes(dataDir))) found.push(`${pid} ${parts[0]?.replaceAll('\0', ' ') ?? ''}`)
  }
  return found
}

