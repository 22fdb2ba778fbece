// Builds the two sample services and packs each the way a Tars user does: one top folder named after the server, tar, gzip.
import { execa } from 'execa'
import { chmod, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { rolldown, type Plugin } from 'rolldown'

const source = join(import.meta.dirname, 'hello')
const sources = ['package.json', 'package-lock.json', 'Hello.js', 'servant.js', 'server.js', 'native.js']

/** A release package ready for `tarsk8s release`. */
export interface SamplePackage {
  readonly app: 'Demo'
  readonly server: 'HelloServer' | 'NativeServer'
  readonly type: 'nodejs' | 'nodejs-pkg'
  /** Port of its only servant, HelloObj. */
  readonly port: number
  readonly file: string
}

/** The IDL of both services. */
export const helloIdl = join(source, 'Hello.tars')

export interface PackOptions {
  /** Folder to work in; the packages are left there. */
  readonly workDir: string
  readonly signal?: AbortSignal
}

/** Installs the services' npm dependencies and packs both. */
export async function packSamples({ workDir, signal }: PackOptions): Promise<readonly [SamplePackage, SamplePackage]> {
  const staged = join(workDir, 'hello')
  await rm(workDir, { recursive: true, force: true })
  await mkdir(staged, { recursive: true })
  for (const file of sources) await cp(join(source, file), join(staged, file))
  const cancel = signal === undefined ? {} : { cancelSignal: signal }
  await execa('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: staged, stdio: ['ignore', 'ignore', 'inherit'], ...cancel })
  const hello = { app: 'Demo', server: 'HelloServer', type: 'nodejs', port: 10001, file: await packNode(staged, workDir) } as const
  const native = { app: 'Demo', server: 'NativeServer', type: 'nodejs-pkg', port: 10002, file: await packNative(staged, workDir) } as const
  return [hello, native]
}

async function packNode(staged: string, workDir: string): Promise<string> {
  const folder = join(workDir, 'HelloServer')
  await cp(staged, folder, { recursive: true })
  return archive(workDir, 'HelloServer')
}

/** One bundle of the script and its packages, put into a copy of the runtime: a single native executable. */
async function packNative(staged: string, workDir: string): Promise<string> {
  const folder = join(workDir, 'NativeServer')
  await mkdir(folder)
  const bundle = await rolldown({ input: join(staged, 'native.js'), platform: 'node', logLevel: 'silent', plugins: [anyEncoding] })
  await bundle.write({ file: join(workDir, 'native.cjs'), format: 'cjs', codeSplitting: false })
  await bundle.close()
  const executable = join(folder, 'NativeServer')
  const config = join(workDir, 'sea.json')
  await writeFile(config, JSON.stringify({ main: join(workDir, 'native.cjs'), output: executable, executable: process.execPath, disableExperimentalSEAWarning: true }))
  await execa(process.execPath, ['--build-sea', config], { stdio: 'ignore' })
  await chmod(executable, 0o755)
  return archive(workDir, 'NativeServer')
}

/** Some files of @tars/rpc have comments that are not UTF-8; Node runs them, so the bundler shall read them as Node does. */
const anyEncoding: Plugin = {
  name: 'any-encoding',
  load: async (id) => (id.endsWith('.js') && !id.startsWith('\0') ? { code: (await readFile(id)).toString('utf8') } : null),
}

async function archive(workDir: string, name: string): Promise<string> {
  const file = join(workDir, `${name}.tgz`)
  await execa('tar', ['-C', workDir, '-cf', file, '--use-compress-program=gzip -1', name])
  return file
}
