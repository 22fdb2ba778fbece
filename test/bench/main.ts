// `npm run bench <name> [-- [<part>…] [--json]]`: one paired benchmark, or some parts of it; the file's default export runs it.
import { readdirSync } from 'node:fs'
import { report, type Goal } from './goal.ts'

const [name, ...flags] = process.argv.slice(2)
const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.slice(0, -'.bench.ts'.length))
if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench <name> [-- [<part>…] [--json]]; benchmarks: ${names.join(', ')}`)
  process.exit(2)
}
const json = flags.includes('--json')
const parts = flags.filter((flag) => flag !== '--json')
const bench = (await import(`./${name}.bench.ts`)) as { default: (note: (line: string) => void, parts: readonly string[]) => Promise<readonly Goal[]> }
report(await bench.default((line) => console.error(line), parts), json)
process.exit(0)
