// The parser and the linter of Prometheus itself, as a process.
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { cacheDir, which } from './tools.ts'

const run = promisify(execFile)
const folder = join(import.meta.dirname, 'promlint')

export interface Exposition {
  /** What the linter has against it. */
  readonly problems: readonly string[]
  readonly families: Readonly<Record<string, { readonly type: string; readonly help: string; readonly series: number; readonly labels: Readonly<Record<string, readonly string[]>> | null }>>
}

export interface PromLint {
  /** @throws when the text is not in Prometheus' format */
  read(text: string): Promise<Exposition>
  stop(): Promise<void>
}

/** Builds the program once a version of it, outside the clone. @returns its path */
export async function promlintProgram(): Promise<string> {
  const key = ['main.go', 'go.mod', 'go.sum'].reduce((hash, file) => hash.update(readFileSync(join(folder, file))), createHash('sha256')).digest('hex').slice(0, 16)
  const program = join(cacheDir, 'go', `promlint-${key}`)
  if (existsSync(program)) return program
  const go = which('go')
  if (go === undefined) throw new Error('go is missing; install Go 1.24 or newer to build the linter of Prometheus')
  mkdirSync(join(cacheDir, 'go'), { recursive: true })
  const draft = `${program}.${process.pid}.part`
  await run(go, ['build', '-trimpath', '-ldflags=-s -w', '-o', draft, '.'], { cwd: folder, timeout: 600_000, env: { ...process.env, GOFLAGS: '', GOWORK: 'off', CGO_ENABLED: '0' } })
  renameSync(draft, program)
  return program
}

export async function startPromLint(): Promise<PromLint> {
  const child = spawn(await promlintProgram(), { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting: PromiseWithResolvers<Exposition>[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as Exposition & { readonly error?: string }
    const next = waiting.shift()
    if (answer.error === undefined) next?.resolve(answer)
    else next?.reject(new Error(answer.error))
  })
  return {
    read(text) {
      const answer = Promise.withResolvers<Exposition>()
      waiting.push(answer)
      child.stdin.write(`${Buffer.byteLength(text)}\n${text}`)
      return answer.promise
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.stdin.end()
      await ended
    },
  }
}
