import { group, labels } from '#api/names.ts'
import type { AdmissionRequest, AdmissionResponse } from '#kube/admission.ts'
import { mutate, validate } from './admit.ts'
import type { AdmissionOptions, Readers } from './types.ts'

/** As in a webhook configuration (admissionregistration.k8s.io/v1). */
export interface Rule {
  readonly operations: readonly string[]
  readonly apiGroups: readonly string[]
  readonly apiVersions: readonly string[]
  readonly resources: readonly string[]
}

/** One registered webhook: when it is called, and what answers. */
export interface Registration {
  readonly name: string
  readonly phase: 'mutating' | 'validating'
  readonly rules: readonly Rule[]
  /** What happens to a write when nothing answers. */
  readonly failurePolicy: 'Fail' | 'Ignore'
  /** Users whose writes it is not asked about, where the API server can tell; the answer would be yes. */
  readonly exempt: 'deletions by machinery' | 'all by machinery'
  readonly objectSelector?: { readonly matchExpressions: readonly { readonly key: string; readonly operator: 'Exists' }[] }
  readonly review: (request: AdmissionRequest) => Promise<AdmissionResponse>
}

const tars = (operations: readonly string[], resources: readonly string[]): Rule => ({ operations, apiGroups: [group], apiVersions: ['v1beta1', 'v1beta2', 'v1beta3'], resources })
const belongsToServer = { matchExpressions: [labels.app, labels.server].map((key) => ({ key, operator: 'Exists' as const })) }

/**
 * The webhooks of control-plane spec B, under the names that are part of every denial's text.
 * @param options `guardWorkloads` false leaves Services and workloads unguarded: for a cluster in which controller and people are
 *   one user; the controller then undoes what differs
 */
export function registrations(readers: Readers, options: AdmissionOptions & { readonly guardWorkloads?: boolean } = {}): Registration[] {
  const review = { mutating: (request: AdmissionRequest) => mutate(request, readers, options), validating: (request: AdmissionRequest) => validate(request, readers, options) }
  const write = ['CREATE', 'UPDATE']
  return [
    {
      name: 'mutating.crd.tars.io', phase: 'mutating', review: review.mutating, failurePolicy: 'Fail', exempt: 'deletions by machinery',
      rules: [tars(write, ['tservers', 'tconfigs', 'ttrees', 'taccounts', 'timages', 'ttemplates'])],
    },
    {
      name: 'validating.crd.tars.io-0', phase: 'validating', review: review.validating, failurePolicy: 'Fail', exempt: 'deletions by machinery',
      rules: [tars([...write, 'DELETE'], ['ttrees', 'tconfigs', 'ttemplates', 'tframeworkconfigs']), tars(write, ['tservers', 'taccounts'])],
    },
    // What it would have refused is undone by the controller: nothing must wait for it.
    ...(options.guardWorkloads === false ? [] : [{
      name: 'validating.k8s.tars.io-0', phase: 'validating' as const, review: review.validating, failurePolicy: 'Ignore' as const, exempt: 'all by machinery' as const, objectSelector: belongsToServer,
      rules: [
        { operations: write, apiGroups: [''], apiVersions: ['v1'], resources: ['services'] },
        { operations: write, apiGroups: ['apps'], apiVersions: ['v1'], resources: ['statefulsets', 'daemonsets'] },
      ],
    }]),
  ]
}
