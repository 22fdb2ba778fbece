// Run by build.ts as a process of its own, with a fixed hash seed: `compile.ts <part.cjs> …` writes V8's code of each part
// beside it, as <part>.cache. V8 orders what it writes by hashes, so without the seed no two builds would be the same.
import { readFileSync, writeFileSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { Script } from 'node:vm'

// Every function is compiled, also those that no compiler would look at before their first call.
setFlagsFromString('--no-lazy')
const scripts = process.argv.slice(2).map((path) => [path, new Script(readFileSync(path, 'utf8'), { filename: 'part.cjs' })] as const)
// The code is written under the flags in force, and is refused by a runtime that has others: back to the defaults.
setFlagsFromString('--lazy')
setFlagsFromString('--hash-seed=0')
for (const [path, script] of scripts) writeFileSync(path.replace(/\.cjs$/, '.cache'), script.createCachedData())
