// The Dockerfiles say what the recipes say: they are linted, their arguments filled in, and their contents compared.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { languages } from '../../base-images/catalog.ts'
import { baseCommand } from '../../framework/local/base-image.ts'
import { debugPackages } from '../../base-images/recipe.ts'
import { cacheDir, npmTool } from '../rig/tools.ts'

const place = (language: string): string => join(import.meta.dirname, '../../base-images', language, 'Dockerfile')
const sources = { cacheDir: join(cacheDir, 'local'), nodeBinary: process.execPath }
const bases = Object.entries(languages).flatMap(([language, { standard, versions }]) => Object.entries(versions).map(([version, make]) => ({ language, version, standard, make })))

interface Stage {
  readonly name: string
  readonly from: string
  readonly packages: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly command: string
}

/** The stages of a Dockerfile, with these build arguments. */
function stagesOf(text: string, args: Readonly<Record<string, string>>): Stage[] {
  const filled = text.replace(/^#.*\n/gm, '').replace(/\\\n/g, ' ').replace(/\$\{(\w+)\}/g, (_all, name: string) => args[name] ?? new RegExp(`^ARG ${name}=(\\S+)`, 'm').exec(text)?.[1] ?? '')
  return filled.split(/^(?=FROM )/m).slice(1).map((stage) => {
    const [, from = '', name = ''] = /^FROM (\S+)(?: AS (\S+))?/.exec(stage) ?? []
    const packages = /apt-get install -y --no-install-recommends ([^&]*)/.exec(stage)?.[1]?.trim().split(/\s+/) ?? []
    const env = [...stage.matchAll(/^ENV (.*)$/gm)].flatMap(([, pairs = '']) => pairs.split(' ')).map((pair) => pair.split('=', 2))
    return { name, from, packages, env: Object.fromEntries(env) as Record<string, string>, command: /^CMD (.*)$/m.exec(stage)?.[1] ?? '' }
  })
}

const sorted = (names: readonly string[]): string[] => names.toSorted((a, b) => (a < b ? -1 : 1))

describe.each(bases)('the Dockerfile of $language for $version', ({ language, version, standard, make }) => {
  const text = readFileSync(place(language), 'utf8')

  it('has the packages and the environment of the recipe, and those of the debug variant', async () => {
    const recipe = await make(sources)
    const stages = stagesOf(text, version === standard ? {} : { VERSION: version, SUITE: recipe.suite ?? '' })
    const base = stages.find(({ name }) => name === 'base')
    expect(base?.from).toBe(`debian:${recipe.suite}-slim`)
    expect(sorted(base?.packages ?? [])).toEqual(sorted(recipe.packages))
    expect(base?.env).toEqual(recipe.env)
    expect(base?.command).toBe(JSON.stringify(baseCommand).replace(',', ', '))
    expect(stages.find(({ name }) => name === 'debug')).toMatchObject({ from: 'base', packages: debugPackages })
    expect(stages.at(-1)).toMatchObject(language === 'static' ? { from: 'scratch', env: recipe.env, command: base?.command } : { from: 'base' })
  })

  it('says with which arguments that version is built', async () => {
    const { suite = '' } = await make(sources)
    const wanted = new RegExp(`^#.*VERSION=${version} SUITE=${suite}\\b|^ARG SUITE=${suite}$`, 'm')
    expect(text).toMatch(wanted)
  })
})

it.each(Object.keys(languages))('the Dockerfile of %s is one', async (language) => {
  const linter = await npmTool('dockerfile-utils', 'dockerfile-utils', '0.16.3')
  expect(execFileSync(process.execPath, [linter, 'lint', place(language)], { encoding: 'utf8' }).trim()).toBe('')
})
