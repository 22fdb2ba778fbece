// A build's memory does not follow the package's size.
import { execFile } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { elf, tarEntry } from './rig/archives.ts'
import { startOciRegistry, workbench, type Workbench } from './rig/image.ts'

let bench: Workbench
beforeAll(async () => {
  bench = await workbench()
})
afterAll(() => bench.clean())

/** A tar of so many files of 4 MB that do not shrink. */
async function release(files: number): Promise<string> {
  const path = bench.path(`release-${files}.tar`)
  const file = await open(path, 'w')
  await file.writeFile(tarEntry({ name: 'HelloServer', mode: 0o755, content: elf() }))
  const content = Buffer.alloc(4 << 20)
  for (let number = 0; number < files; number++) await file.writeFile(tarEntry({ name: `data-${number}`, content: randomFillSync(content) }))
  await file.writeFile(Buffer.alloc(1024))
  await file.close()
  return path
}

test('ten times the package, the same peak, under 180 MB', async () => {
  const registry = await startOciRegistry({ dir: bench.path('registry') })
  try {
    const base = await bench.base(registry.address)
    await writeFile(bench.path('supervisor.json'), JSON.stringify(bench.supervisor))
    const peak = async (files: number): Promise<number> => {
      const args = ['build', await release(files), '--app', 'Demo', '--server', 'HelloServer', '--type', 'cpp', '--platform', 'linux/amd64', '--base', base, '--to', `${registry.address}/tars/memory:${files}`, '--supervisor', bench.path('supervisor.json')]
      const { stderr } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, '../bench/image-build.ts'), ...args])
      return Number(/peak (\d+) KB/.exec(stderr)?.[1]) / 1000
    }
    const [small, large] = [await peak(6), await peak(60)]
    expect(large).toBeLessThan(180)
    expect(large - small).toBeLessThan(60)
  } finally {
    await registry.stop()
  }
})
