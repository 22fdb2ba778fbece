// The programs of Kubernetes, and the etcd that it names, built from source once a version and kept outside the clone.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { alone } from '../alone.ts'
import { cacheDir, which } from '../tools.ts'

const run = promisify(execFile)

/** The version that tests run against. Its libraries are v0.MINOR.PATCH. */
const kubernetesVersion = 'v1.34.4'

/** Import paths of their main packages. */
const packages = {
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  kubelet: 'k8s.io/kubernetes/cmd/kubelet',
  'kube-proxy': 'k8s.io/kubernetes/cmd/kube-proxy',
  // Debian's is too old for it: it cannot say how far a watch has come.
  etcd: 'go.etcd.io/etcd/server/v3',
}

export type KubernetesProgram = keyof typeof packages

const folder = join(cacheDir, 'kubernetes', kubernetesVersion)
/** The API server alone takes minutes on two cores. Milliseconds. */
const longest = 1_800_000

/** @returns the path of the program; the first call on a machine builds it */
export async function kubernetesProgram(name: KubernetesProgram): Promise<string> {
  const program = join(folder, name)
  if (existsSync(program)) return program
  await mkdir(folder, { recursive: true })
  await alone(join(folder, '.lock'), async () => {
    if (!existsSync(program)) await build(name, program)
  })
  return program
}

async function build(name: KubernetesProgram, program: string): Promise<void> {
  const go = which('go')
  if (go === undefined) throw new Error(`go is missing; install Go 1.24 or newer to build ${name}`)
  const env = { ...process.env, GOFLAGS: '', CGO_ENABLED: '0' }
  const module = join(folder, 'modules')
  if (!existsSync(join(module, 'go.sum'))) await writeModule(go, module, env)
  const draft = `${program}.part`
  // Without its version, clients take the server for one of long ago.
  const flags = `-s -w -X k8s.io/component-base/version.gitVersion=${kubernetesVersion}`
  await run(go, ['build', '-trimpath', '-ldflags', flags, '-o', draft, packages[name]], { cwd: module, env, timeout: longest, maxBuffer: 1 << 26 })
  await rename(draft, program)
}

/** A module that requires Kubernetes; its staging libraries are named by no version in its own go.mod. */
async function writeModule(go: string, module: string, env: NodeJS.ProcessEnv): Promise<void> {
  await rm(module, { recursive: true, force: true })
  await mkdir(module, { recursive: true })
  const { stdout } = await run(go, ['mod', 'download', '-json', `k8s.io/kubernetes@${kubernetesVersion}`], { cwd: module, env: { ...env, GOWORK: 'off' }, timeout: longest, maxBuffer: 1 << 26 })
  const own = await readFile((JSON.parse(stdout) as { GoMod: string }).GoMod, 'utf8')
  const staging = [...own.matchAll(/^\s*(k8s\.io\/\S+) v0\.0\.0$/gm)].map(([, path]) => path ?? '')
  const replaced = staging.map((path) => `replace ${path} => ${path} ${kubernetesVersion.replace('v1', 'v0')}\n`)
  const tools = Object.values(packages).map((path) => `\t${path}\n`)
  await writeFile(join(module, 'go.mod'), `module tools\n\ngo 1.24.0\n\nrequire k8s.io/kubernetes ${kubernetesVersion}\n\ntool (\n${tools.join('')})\n\n${replaced.join('')}`)
  await run(go, ['mod', 'tidy'], { cwd: module, env, timeout: longest, maxBuffer: 1 << 26 })
}
