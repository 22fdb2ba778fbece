// `npm run check`: types and lint, the two things that need no run.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** Generated code, and programs that stand for other people's. */
const ignored = ['**/lib/tars/protocol/*.ts', '**/samples/hello/**', '**/compat/services/**', '**/idl/protocol/*.ts', '**/lib/tars/protocol/**', '**/bench/tars/Echo.ts', '**/*.cjs']

/** Runs one checker; its output goes to the terminal. */
function passes(name: string, script: string, ...args: string[]): boolean {
  try {
    execFileSync(process.execPath, [join(root, 'node_modules', script), ...args], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
    return true
  } catch {
    console.error(`${name} failed`)
    return false
  }
}

/** Type check and lint of the whole repository. @returns the names of the checks that failed */
export function check(): string[] {
  return [
    passes('types', 'typescript/bin/tsc', '-p', '.') ? [] : ['types'],
    passes('lint', 'oxlint/bin/oxlint', '-c', 'test/lint.json', '--type-aware', '--quiet', ...ignored.flatMap((pattern) => ['--ignore-pattern', pattern]), 'node', 'imagebuilder', 'base-images', 'framework', 'test') ? [] : ['lint'],
  ].flat()
}

if (import.meta.main) process.exit(check().length === 0 ? 0 : 1)
