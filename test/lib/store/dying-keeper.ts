// A thread that keeps windows of tarsstat, and breaks at the first one that it is given: `source` names a file that says whether it did.
import { existsSync, writeFileSync } from 'node:fs'
import { statDataset } from '#store/datasets.ts'
import { keepInThread } from '#store/keeper-thread.ts'
import { statRules } from '../../../framework/stat/model/stat-rules.ts'

keepInThread((source) => ({
  dataset: statDataset, rules: statRules('p'),
  told() {
    if (existsSync(source)) return
    writeFileSync(source, '')
    process.exit(1)
  },
  page: () => '',
}))
