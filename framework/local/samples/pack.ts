// Builds the two sample services and packs each the way a Tars user does: one top folder named after the server, tar, gzip.
import { execa } from 'execa'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
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
  /** Packages are kept here, one folder a content. */
  readonly cacheDir: string
  readonly signal?: AbortSignal
}

/** Installs the services' npm dependencies and packs both, once for their sources. */
export async function packSamples({ cacheDir, signal }: PackOptions): Promise<readonly [SamplePackage, SamplePackage]> {
  const done = join(cacheDir, `samples-${await sourceKey()}`)
  if (!existsSync(done)) {
    const work = `${done}.${process.pid}.tmp`
    try {
      await pack(work, join(work, 'done'), signal)
      // Another process may have been first; its packages are as good.
      await rename(join(work, 'done'), done).catch((error: unknown) => (existsSync(done) ? undefined : Promise.reject(error as Error)))
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }
  return [
    { app: 'Demo', server: 'HelloServer', type: 'nodejs', port: 10001, file: join(done, 'HelloServer.tgz') },
    { app: 'Demo', server: 'NativeServer', type: 'nodejs-pkg', port: 10002, file: join(done, 'NativeServer.tgz') },
  ]
}

async function sourceKey(): Promise<string> {
  const hash = createHash('sha256').update(process.version)
  for (const file of sources) hash.update(file).update(await readFile(join(source, file)))
  return hash.digest('hex').slice(0, 16)
}

async function pack(work: string, out: string, signal: AbortSignal | undefined): Promise<void> {
  const staged = join(work, 'hello')
  for (const folder of [staged, out]) await mkdir(folder, { recursive: true })
  for (const file of sources) await cp(join(source, file), join(staged, file))
  const cancel = signal === undefined ? {} : { cancelSignal: signal }
  await execa('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: staged, stdio: ['ignore', 'ignore', 'inherit'], ...cancel })
  await packNode(staged, work, out)
  await packNative(staged, work, out)
}

async function packNode(staged: string, workDir: string, out: string): Promise<void> {
  const folder = join(workDir, 'HelloServer')
  await cp(staged, folder, { recursive: true })
  await archive(workDir, 'HelloServer', out)
}

/** One bundle of the script and its packages, put into a copy of the runtime: a single native executable. */
async function packNative(staged: string, workDir: string, out: string): Promise<void> {
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
  await archive(workDir, 'NativeServer', out)
}

/** Some files of @tars/rpc have comments that are not UTF-8; Node runs them, so the bundler shall read them as Node does. */
const anyEncoding: Plugin = {
  name: 'any-encoding',
  load: async (id) => (id.endsWith('.js') && !id.startsWith('\0') ? { code: (await readFile(id)).toString('utf8') } : null),
}

async function archive(workDir: string, name: string, out: string): Promise<void> {
  await execa('tar', ['-C', workDir, '-cf', join(out, `${name}.tgz`), '--use-compress-program=gzip -1', name])
}
