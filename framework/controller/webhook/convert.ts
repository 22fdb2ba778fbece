import { convertObject } from '#api/convert.ts'
import { group, versions, type Version } from '#api/names.ts'
import { Failure } from '#base/errors.ts'
import type { ConversionReview } from '#kube/admission.ts'
import type { AnyObject } from '#kube/types.ts'

/**
 * Objects in the version asked for, each by its own kind and version.
 * @throws Failure CONVERSION_UNKNOWN naming the object that has no such version
 */
export function convertObjects(objects: readonly AnyObject[], desiredApiVersion: string): AnyObject[] {
  const version = versions.find((candidate) => `${group}/${candidate}` === desiredApiVersion)
  return objects.map((object) => convertOne(object, version, desiredApiVersion))
}

function convertOne(object: AnyObject, version: Version | undefined, desiredApiVersion: string): AnyObject {
  const converted = version === undefined ? undefined : convertObject(object, version)
  if (converted !== undefined) return converted as AnyObject
  const { namespace = '', name } = object.metadata
  throw new Failure('CONVERSION_UNKNOWN', `${object.kind} ${namespace}/${name} of ${object.apiVersion} has no version ${desiredApiVersion}`, { remedy: `use ${group}/${versions.join(' or ')}` })
}

/** Answers a review of the conversion webhook (control-plane spec A.11); a failure is an answer, too. */
export function convert(review: ConversionReview): ConversionReview {
  const { uid = '', objects = [], desiredAPIVersion = '' } = review.request ?? {}
  const answer = (convertedObjects: AnyObject[], result: NonNullable<ConversionReview['response']>['result']): ConversionReview =>
    ({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', response: { uid, convertedObjects, result } })
  try {
    return answer(convertObjects(objects, desiredAPIVersion), { status: 'Success' })
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return answer([], { status: 'Failure', message: error.message })
  }
}
