// node framework/lib/tars/idl/main.ts [--library SPECIFIER] FILE.tars…: writes FILE.ts beside each FILE.tars.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { describe } from '#base/errors.ts'
import { generateFile } from './generate/file.ts'

const { values, positionals } = parseArgs({ allowPositionals: true, options: { library: { type: 'string', default: '#tars' } } })

try {
  if (positionals.length === 0) throw new Error('no .tars file given; usage: main.ts [--library SPECIFIER] FILE.tars…')
  for (const file of positionals) {
    const target = file.replace(/\.tars$/, '') + '.ts'
    writeFileSync(target, generateFile(file, (path) => readFileSync(path, 'utf8'), values.library))
    process.stdout.write(`${file} -> ${target}\n`)
  }
} catch (error) {
  process.stderr.write(`${describe(error)}\n`)
  process.exitCode = 1
}
