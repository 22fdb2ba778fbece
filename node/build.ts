import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { Script } from 'node:vm'
import { build } from 'rolldown'

/** Name of the file that the runtime is started with, in {@link SUPERVISOR_DIR}. */
export const BUNDLE = 'tarsnode.cjs'

/** Folder of the bundle's parts, beside {@link BUNDLE}. */
export const PARTS = 'parts'

/** Name of the part that BUNDLE runs. */
const MAIN = 'main'

/**
 * Bundles the supervisor into files that need nothing else: a loader, and parts of which the first is all that a launch
 * needs and the others are loaded after it. Each part is a function's text and V8's compiled code of it, because
 * compiling takes longer than the rest of a launch; the code is of the runtime that builds, and where it does not fit the
 * text is compiled. CommonJS, because an ES module that imports Node's own modules makes them all evaluate their lazy
 * exports. The same sources give the same bytes, which the layer that all images share depends on.
 * @param outDir an existing or new folder
 * @returns the path of the loader
 */
export async function buildSupervisor(outDir: string): Promise<string> {
  const { output } = await build({
    input: { [MAIN]: join(import.meta.dirname, 'main.ts') },
    platform: 'node',
    tsconfig: false,
    write: false,
    output: { entryFileNames: '[name].cjs', chunkFileNames: '[name].cjs', format: 'cjs', minify: true },
    logLevel: 'warn',
  })
  mkdirSync(join(outDir, PARTS), { recursive: true })
  for (const part of output) {
    if (part.type !== 'chunk') continue
    const text = `(function(exports,require,module,__filename,__dirname){${part.code}\n})`
    const path = join(outDir, PARTS, part.fileName)
    writeFileSync(path, text)
    writeFileSync(path.replace(/\.cjs$/, '.cache'), compiled(text))
  }
  writeFileSync(join(outDir, BUNDLE), LOADER)
  return join(outDir, BUNDLE)
}

/** The code of every function, also of those that no compiler would look at before their first call. */
function compiled(text: string): Buffer {
  setFlagsFromString('--no-lazy')
  try {
    return new Script(text, { filename: 'part.cjs' }).createCachedData()
  } finally {
    setFlagsFromString('--lazy')
  }
}

const LOADER = `'use strict'
const { readFileSync } = require('node:fs')
const { Script } = require('node:vm')
const parts = new Map()
function load(name) {
  const known = parts.get(name)
  if (known !== undefined) return known.exports
  const file = __dirname + '/${PARTS}/' + name
  const module = { exports: {} }
  parts.set(name, module)
  let cachedData
  try {
    cachedData = readFileSync(file + '.cache')
  } catch {}
  const script = new Script(readFileSync(file + '.cjs', 'utf8'), { filename: file + '.cjs', cachedData })
  script.runInThisContext()(module.exports, (id) => (id.startsWith('./') ? load(id.slice(2, -4)) : require(id)), module, __filename, __dirname)
  return module.exports
}
load('${MAIN}')
`
