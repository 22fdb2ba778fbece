#!/usr/bin/env node
// The one file that must run on any Node >= 20: it installs what package-lock.json pins (Node 26 among it)
// and hands over to that runtime, which executes the TypeScript of this repository directly.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const runtime = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node')
const installedLock = join(root, 'node_modules', '.tarsk8s-lock')

/** Compiled code is kept here: without the TypeScript compiler a role starts faster, with a quarter less memory. */
const compiled = join(root, 'node_modules', '.tarsk8s-compiled')

/**
 * The image builder streams gigabytes: with a small young generation (MB), and one arena for all threads, whose freed memory
 * serves each of them (mallopt(3)), its memory stays flat.
 */
const frugal = { flags: ['--max-semi-space-size=2'], env: { MALLOC_ARENA_MAX: '1' } }

function fail(message) {
  console.error(`tarsk8s: ${message}`)
  process.exit(1)
}

function install() {
  const lock = createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex')
  if (existsSync(runtime) && existsSync(installedLock) && readFileSync(installedLock, 'utf8') === lock) return
  const started = Date.now()
  console.error('tarsk8s: installing the pinned packages …')
  // No install script is needed by any dependency, so none is run. Not `npm ci`: it refuses a lock file that lacks optional
  // packages of other platforms, and mirrors often have those late. `install --no-save` takes the locked versions just the same.
  const npm = spawnSync('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 2, 2] })
  if (npm.error) fail(`npm could not be started (${npm.error.message}); install npm and try again`)
  if (npm.status !== 0) fail(`"npm install" failed with exit code ${npm.status}; its output above says why`)
  if (!existsSync(runtime)) fail(`no pinned Node runtime for ${process.platform}/${process.arch}; supported: linux/x64 and linux/arm64`)
  // A file of its own: copies of this folder may be hard links to it.
  writeFileSync(`${installedLock}.${process.pid}`, lock)
  renameSync(`${installedLock}.${process.pid}`, installedLock)
  console.error(`tarsk8s: packages installed in ${((Date.now() - started) / 1000).toFixed(1)} s`)
}

function handOver(args, env = process.env) {
  const child = spawn(runtime, ['--disable-warning=ExperimentalWarning', ...args], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env })
  // The child answers signals; this process only waits for it. A terminal's Ctrl-C reaches both by itself.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  // npm itself may be killed, too: then nobody is left who could stop what it started.
  const parent = process.ppid
  setInterval(() => process.ppid !== parent && child.kill('SIGTERM'), 1000).unref()
  child.on('error', (error) => fail(`the pinned runtime ${runtime} does not start: ${error.message}`))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

if (Number(process.versions.node.split('.')[0]) < 20) fail(`Node ${process.versions.node} is too old; Node 20 or newer is needed to install the pinned one`)
install()
const [first, ...rest] = process.argv.slice(2)
if (first === 'run') handOver([join(root, rest[0]), ...rest.slice(1)])
else {
  const { flags, env } = first === 'image' ? frugal : { flags: [], env: {} }
  handOver([...flags, join(root, 'framework', 'main.ts'), ...process.argv.slice(2)], { NODE_COMPILE_CACHE: compiled, ...env, ...process.env })
}
