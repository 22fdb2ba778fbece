// What takes minutes to build on a new machine, one after the other before the tests: together, and in their way, it would take longer.
import { helmProgram } from './charts/rig.ts'
import { promlintProgram } from './rig/promlint.ts'
import setupKubernetes from './rig/kubernetes/setup.ts'
import { cosign, crane } from './rig/registry.ts'
import { searchNodes } from './rig/search-node/search-node.ts'

/** Builds the programs that tests need, once a machine. */
export async function prepare(): Promise<void> {
  const started = Date.now()
  for (const program of [crane, helmProgram, setupKubernetes, cosign, searchNodes, promlintProgram]) await program()
  const seconds = (Date.now() - started) / 1000
  if (seconds > 2) console.log(`programs for the tests built in ${seconds.toFixed(0)} s`)
}
