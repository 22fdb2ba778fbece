// Before the tests that need Kubernetes: its programs are there. The first time on a machine that takes longer than a test may.
import { kubernetesProgram } from './binaries.ts'
import { nodePrograms } from './node.ts'

export default async function setup(): Promise<void> {
  if ((process.env['TARSK8S_TEST_KUBECONFIG'] ?? '') !== '') return
  for (const name of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const) await kubernetesProgram(name)
  await nodePrograms()
}
