// The thread of tarsproperty in which minutes that are over are kept.
import { propertyDataset } from '#store/datasets.ts'
import { keepInThread } from '#store/keeper-thread.ts'
import { propertyRules, propertyText } from './model/property-rules.ts'

keepInThread((source, windowMs) => {
  let last = { text: propertyText([]), end: 0, closedAt: 0 }
  return {
    dataset: propertyDataset, rules: propertyRules(source),
    told: (sums, { end, closedAt }) => void (last = { text: propertyText(sums), end, closedAt }),
    // What is older is not what services measure now: by the clock, as a process before this one may have left it, and by one that nobody sets back.
    page: (now, monotonic) => (Math.max(now - last.end, monotonic - last.closedAt) < 2 * windowMs ? last.text : propertyText([])),
  }
})
