import { join } from 'node:path'
import { build } from 'rolldown'

/** Name of the bundle in {@link SUPERVISOR_DIR}. */
export const BUNDLE = 'tarsnode.mjs'

/**
 * Bundles the supervisor into one self-contained ESM file. The same sources give the same bytes, which the layer that
 * all images share depends on.
 * @param outDir an existing or new folder
 * @returns the path of the bundle
 */
export async function buildSupervisor(outDir: string): Promise<string> {
  await build({
    input: join(import.meta.dirname, 'main.ts'),
    platform: 'node',
    tsconfig: false,
    output: { dir: outDir, entryFileNames: BUNDLE, format: 'esm', codeSplitting: false, minify: true },
    logLevel: 'warn',
  })
  return join(outDir, BUNDLE)
}
