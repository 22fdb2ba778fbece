import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Tests of what an API server does, run against the embedded one and, from the same source, against Kubernetes itself. */
const behaviour = [
  ...['watch', 'bad-input', 'objects', 'owners', 'patch', 'builtin-fields', 'custom-kinds', 'rules', 'kubectl', 'webhooks'].map((name) => `local/apiserver/${name}.test.ts`),
  ...['informer', 'lease'].map((name) => `lib/kube/${name}.test.ts`),
  'lib/api/rules.test.ts',
  'admin/adminreg.test.ts',
  ...['admission', 'config', 'reconcile', 'templates', 'stored-version', 'cluster-wide', 'adoption', 'webhook/https'].map((name) => `controller/${name}.test.ts`),
  ...['access', 'from-k8sframework'].map((name) => `charts/${name}.test.ts`),
]
/** Tests that need Kubernetes. */
const real = ['cluster/real-*.test.ts', 'chaos/real-*.test.ts']

/** The file that waits for minutes begins first, and the others are done meanwhile. */
class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const waits = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('/cluster/real-kubelet.test.ts')
    return (await super.sort(files)).toSorted((a, b) => Number(waits(b)) - Number(waits(a)))
  }
}

export default defineConfig({
  test: {
    root: import.meta.dirname,
    exclude: ['**/node_modules/**', '**/services/**'],
    setupFiles: ['./setup.ts'],
    pool: 'forks',
    sequence: { sequencer: WaitingFirst },
    // Files wait for processes more than they compute: two at a time also on a small machine.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // One cluster for all has room for one file at a time.
    fileParallelism: (process.env['TARSK8S_TEST_KUBECONFIG'] ?? '') === '',
    // Every wait is for a condition, never for a time: these end what would wait for ever, on a machine of two cores that has much else to do.
    testTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
    // On a new machine what a file needs may have to be built or installed first.
    hookTimeout: 900_000,
    teardownTimeout: 30_000,
    projects: [
      { extends: true, test: { name: 'embedded', include: ['**/*.test.ts'], exclude: ['**/node_modules/**', '**/services/**', ...real] } },
      { extends: true, test: { name: 'kubernetes', include: [...behaviour, ...real], globalSetup: './rig/kubernetes/setup.ts', env: { TARSK8S_TEST_CLUSTER: 'kubernetes' } } },
    ],
  },
})
