// `npm run chaos <name> [-- --seconds N --seed S]`: disturbs real processes and says what did not hold; the seed replays the plan.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import controlPlane from './control-plane.chaos.ts'
import node from './node.chaos.ts'
import services from './services.chaos.ts'

const runs = { node, 'control-plane': controlPlane, services } as const
const { values, positionals } = parseArgs({ allowPositionals: true, options: { seconds: { type: 'string', default: '600' }, seed: { type: 'string', default: String(randomInt(2 ** 31)) } } })
const name = Object.keys(runs).find((known): known is keyof typeof runs => known === positionals[0])
const seconds = Number(values.seconds)
const seed = Number(values.seed)
if (name === undefined || positionals.length !== 1 || !(seconds > 0) || !Number.isSafeInteger(seed)) {
  console.error(`usage: npm run chaos <name> [-- --seconds N --seed S]; names: ${Object.keys(runs).join(', ')}`)
  process.exit(2)
}
const abort = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort())
console.log(`chaos ${name}: ${seconds} s, seed ${seed}`)
const faults = await runs[name]({ seed, seconds, note: (line) => console.log(line), signal: abort.signal }).catch((error: unknown) => {
  if (abort.signal.aborted) return ['ended early']
  throw error
})
for (const fault of faults) console.log(`violated: ${fault}`)
console.log(`chaos ${name}: ${faults.length === 0 ? 'held' : `broken, ${faults.length} violations`} (seed ${seed})`)
process.exit(faults.length === 0 ? 0 : 1)
