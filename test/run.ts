// `npm test [filter …]`: types, lint, then every test. The last line is "N passed, N failed"; a skipped test counts as failed in CI.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check } from './check.ts'
import { prepare } from './prepare.ts'

interface Results {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly numFailedTestSuites: number
  readonly success: boolean
}

const filters = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'tarsk8s-test-'))
const resultFile = join(folder, 'results.json')

const failedChecks = filters.length === 0 ? check() : []
if (filters.length === 0) await prepare().catch((error: unknown) => console.error('programs for the tests could not be built', error))
const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs')
const child = spawn(process.execPath, [vitest, 'run', '-c', join(import.meta.dirname, 'vitest.config.ts'), '--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`, ...filters], { stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal))
const code = await new Promise<number>((resolve) => child.once('exit', (status) => resolve(status ?? 1)))

let passed = filters.length === 0 ? 2 - failedChecks.length : 0
let failed = failedChecks.length
try {
  const results = JSON.parse(readFileSync(resultFile, 'utf8')) as Results
  const skipped = results.numPendingTests + results.numTodoTests
  passed += results.numPassedTests
  failed += results.numFailedTests
  if (process.env['CI'] !== undefined) failed += skipped
  if (skipped > 0) console.log(`${skipped} skipped${process.env['CI'] === undefined ? '' : ', counted as failed'}`)
} catch (error) {
  console.error('no test results were written', error)
}
// A file that does not load, or an error outside of any test, fails the run without a failed test of its own.
if (failed === 0 && code !== 0) failed = 1
rmSync(folder, { recursive: true, force: true })
if (failedChecks.length > 0) console.log(`failed checks: ${failedChecks.join(', ')}`)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)
