import { array, choice, dateTime, integer, object, optional, string } from './builder.ts'

/** Facts about an object (Kubernetes API conventions, "Typical status properties"). @param types those that there are */
export const conditions = (types: string) => array('Facts.', object('A fact (Kubernetes API conventions, "Typical status properties").', {
  type: string(types),
  status: choice('Whether it holds.', ['True', 'False', 'Unknown']),
  reason: string('Why, in one word.'),
  message: string('Why, for people.'),
  lastTransitionTime: dateTime('When status last changed.'),
  observedGeneration: optional(integer('Generation of the object it was judged by.')),
}))

export const observedGeneration = integer('Generation of the object that this status is about.')

/** A status of facts alone, which the reference does not have. */
const ofFacts = (types: string) => object('What became of it; written by the controller.', { observedGeneration: optional(observedGeneration), conditions: optional(conditions(types)) })

export const tconfigStatus = ofFacts('Active.')
export const timageStatus = ofFacts('Released or Degraded.')
