import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { findEntry } from '../../base-images/nodejs/agent/entry.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** A package of these files; a value is written as JSON. */
function pack(files: Readonly<Record<string, object | ''>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'node-entry-'))
  folders.push(folder)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content === '' ? '' : JSON.stringify(content))
  }
  return folder
}

describe('the script that node-agent runs', () => {
  it.each([
    ['a file itself', { 'x.mjs': '' }, 'x.mjs', 'x.mjs'],
    ['nodeAgent.main before all', { 'package.json': { nodeAgent: { main: 'a.js' }, scripts: { start: 'node b.js' }, main: 'c.js' }, 'a.js': '', 'b.js': '', 'c.js': '' }, '', 'a.js'],
    ['scripts.start when it is node', { 'package.json': { scripts: { start: 'node --trace-warnings b.js --flag  2' }, main: 'c.js' }, 'b.js': '', 'c.js': '' }, '', 'b.js'],
    ['main as Node resolves it', { 'package.json': { scripts: { start: 'tsx b.js' }, main: 'lib' }, 'lib/index.js': '', 'b.js': '' }, '', 'lib/index.js'],
    ['a conventional name', { 'package.json': {}, 'start.js': '', 'app.js': '' }, '', 'app.js'],
    ['a package below, not its dependencies nor the runtime it brings', { 'node_modules/a/package.json': {}, 'node_modules/a/index.js': '', 'tars_nodejs/node-agent/package.json': {}, 'tars_nodejs/node-agent/index.js': '', 'work/package.json': { main: 'go.js' }, 'work/go.js': '' }, '', 'work/go.js'],
    ['the nearest package first', { 'a/b/package.json': {}, 'a/b/index.js': '', 'z/package.json': {}, 'z/index.js': '' }, '', 'z/index.js'],
    ['src without package.json', { 'src/app.js': '', 'other/server.js': '' }, '', 'src/app.js'],
  ])('is %s', (_what, files, path, script) => {
    const folder = pack(files as never)
    expect(findEntry(path === '' ? `${folder}/` : path, folder)).toEqual({ script: join(folder, script), args: script === 'b.js' && 'a.js' in files === false ? ['--flag', '2'] : [] })
  })

  it('is missed with every place that was looked at', () => {
    const folder = pack({ 'package.json': { main: 'gone.js' }, 'src/x.txt': '' })
    expect(() => findEntry(folder, '/')).toThrow(`no script to run in ${folder}; looked there for ${['gone.js', 'server.js', 'app.js', 'start.js', 'index.js', 'src/server.js', 'src/app.js', 'src/start.js', 'src/index.js'].join(', ')}`)
    expect(() => findEntry('gone', folder)).toThrow(`there is no ${folder}/gone to run`)
  })
})
