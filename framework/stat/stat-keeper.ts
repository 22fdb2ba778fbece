// The thread of tarsstat in which minutes that are over are kept.
import { statDataset } from '#store/datasets.ts'
import { keepInThread } from '#store/keeper-thread.ts'
import { CallCounters } from './model/call-counters.ts'
import { statRules } from './model/stat-rules.ts'

keepInThread((source) => {
  const counters = new CallCounters()
  return {
    dataset: statDataset, rules: statRules(source),
    told(sums, { closedAt }) {
      for (const sum of sums) counters.add(sum, closedAt)
    },
    page: (_, monotonic) => counters.text(monotonic),
  }
})
