// A hostile pod: swaps a folder for a link that leads outside, and back, as fast as it can, until it is killed.
import { mkdirSync, renameSync, symlinkSync, unlinkSync } from 'node:fs'

const [folder = '', outside = ''] = process.argv.slice(2)

/** Others may have removed any of it meanwhile. */
function attempt(step: () => void): void {
  try {
    step()
  } catch {
    // The next turn goes on from what there is.
  }
}

process.stdout.write('swapping\n')
for (;;) {
  attempt(() => mkdirSync(folder, { recursive: true }))
  attempt(() => renameSync(folder, `${folder}-aside`))
  attempt(() => symlinkSync(outside, folder))
  attempt(() => unlinkSync(folder))
  attempt(() => renameSync(`${folder}-aside`, folder))
}
