// What takes minutes to build on a new machine, one after the other before the tests: together, and in their way, it would take longer.
import { helmProgram } from './charts/rig.ts'
import { kubernetesProgram, kubernetesPrograms } from './rig/kubernetes/binaries.ts'
import { coreDns } from './rig/kubernetes/node.ts'
import { cosign, crane } from './rig/registry.ts'

/** Builds the programs that tests need, once a machine. */
export async function prepare(): Promise<void> {
  const started = Date.now()
  const programs = [crane, helmProgram, ...kubernetesPrograms.map((name) => () => kubernetesProgram(name)), coreDns, cosign]
  for (const program of programs) await program()
  const seconds = (Date.now() - started) / 1000
  if (seconds > 1) console.log(`programs for the tests built in ${seconds.toFixed(0)} s`)
}
