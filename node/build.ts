import { join } from 'node:path'
import { build } from 'rolldown'

/** Name of the bundle in {@link SUPERVISOR_DIR}. */
export const BUNDLE = 'tarsnode.cjs'

/**
 * Bundles the supervisor into one self-contained file. It is CommonJS, because an ES module that imports Node's own
 * modules makes them all evaluate their lazy exports, which costs as much as the rest of the start. The same sources give the same bytes, which the layer that
 * all images share depends on.
 * @param outDir an existing or new folder
 * @returns the path of the bundle
 */
export async function buildSupervisor(outDir: string): Promise<string> {
  await build({
    input: join(import.meta.dirname, 'main.ts'),
    platform: 'node',
    tsconfig: false,
    output: { dir: outDir, entryFileNames: BUNDLE, format: 'cjs', codeSplitting: false, minify: true },
    logLevel: 'warn',
  })
  return join(outDir, BUNDLE)
}
