// The thread of tarsproperty in which minutes that are over are kept.
import { propertyDataset } from '#store/datasets.ts'
import { keepInThread } from '#store/keeper-thread.ts'
import { propertyRules, propertyText } from './model/property-rules.ts'

keepInThread((source, windowMs) => {
  let last = { text: propertyText([]), end: 0 }
  return {
    dataset: propertyDataset, rules: propertyRules(source),
    told: (sums, { end }) => void (last = { text: propertyText(sums), end }),
    // What is older is not what services measure now.
    page: (now) => (now - last.end < 2 * windowMs ? last.text : propertyText([])),
  }
})
