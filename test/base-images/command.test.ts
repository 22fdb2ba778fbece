import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, describe, expect, it } from 'vitest'
import { baseNames, languages } from '../../base-images/catalog.ts'
import { run } from '../../framework/local/base-command.ts'

const folder = mkdtempSync(join(tmpdir(), 'tarsk8s-base-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function base(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()]
  const said = [text(out), text(err)] as const
  const code = await run(args, { out, err, env: {}, cwd: folder, signal: AbortSignal.timeout(300_000) })
  out.end()
  err.end()
  return { code, out: await said[0], err: await said[1] }
}

/** The manifest that an OCI layout's index names last. */
function manifestOf(dir: string): { readonly layers: readonly unknown[] } {
  const read = (path: string): unknown => JSON.parse(readFileSync(join(folder, dir, path), 'utf8'))
  const digest = (read('index.json') as { manifests: { digest: string }[] }).manifests.at(-1)?.digest ?? ''
  return read(join('blobs', digest.replace(':', '/'))) as never
}

describe('tarsk8s base', () => {
  it('lists what there is', async () => {
    const { code, out } = await base('--help')
    expect(code).toBe(0)
    expect(out).toContain(`Base images: ${baseNames.join(' ')}\n`)
    expect(baseNames).toEqual(expect.arrayContaining(Object.keys(languages)))
  })

  it.each([
    ['rust', /there is no base image for "rust" \(choose one of nodejs, cpp, go, java, php, python, static\)/],
    ['java:9', /there is no base image for version "9" of java \(choose one of 8, 11, 17, 21\)/],
    ['java:', /there is no base image for version "" of java/],
    ['java:17:1', /there is no base image for version "17:1" of java/],
    ['constructor', /there is no base image for "constructor"/],
    ['java:constructor', /there is no base image for version "constructor" of java/],
  ])('%s is refused, with what there is', async (name, says) => {
    expect(await base(name, '--to', 'oci:none')).toMatchObject({ code: 1, out: '', err: expect.stringMatching(says) })
  })

  it('writes an image, and the same with debug tools over it, to where it is told', async () => {
    expect(await base('static', '--to', 'oci:plain')).toMatchObject({ code: 0, out: `oci:${join(folder, 'plain')}:latest\n` })
    expect(await base('static', '--to', 'oci:tools', '--debug')).toMatchObject({ code: 0 })
    const [plain, tools] = [manifestOf('plain').layers, manifestOf('tools').layers]
    expect(plain).toHaveLength(1)
    expect(tools).toHaveLength(2)
    expect(tools[0]).toEqual(plain[0])
    expect(await base('static', '--to', 'oci:fresh', '--fresh')).toMatchObject({ code: 0 })
    expect(manifestOf('fresh').layers).toHaveLength(1)
  })
})
