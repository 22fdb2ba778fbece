import type { UserInfo } from '#kube/admission.ts'
import type { JsonObject } from '../json.ts'
import { isObject } from '../json.ts'
import { reviews } from './discovery.ts'

/**
 * Answers to authorization and authentication reviews. Whoever holds the cluster's token may do everything,
 * so every access review is allowed; there are no other tokens.
 */
export function answerReview(group: string, plural: string, body: JsonObject, user: UserInfo): object | undefined {
  const review = reviews.find((candidate) => candidate.group === group && candidate.plural === plural)
  return review && { ...body, apiVersion: `${group}/v1`, kind: review.kind, metadata: isObject(body['metadata']) ? body['metadata'] : {}, status: statusOf(review.kind, user) }
}

function statusOf(kind: string, user: UserInfo): object {
  if (kind === 'SelfSubjectRulesReview') {
    return { incomplete: false, resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }], nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] }
  }
  if (kind === 'SelfSubjectReview') return { userInfo: user }
  if (kind === 'TokenReview') return { authenticated: false, error: 'this API server issues no other tokens' }
  return { allowed: true, reason: 'the holder of the cluster token may do everything' }
}
