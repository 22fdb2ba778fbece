/** One goal of a benchmark: what was measured against which bar. */
export interface Goal {
  /** What is measured, e.g. `echo 64 B requests/s, ours ÷ @tars/rpc 2.0.15`. */
  readonly what: string
  /** The paired samples of the figure, one a round, in the unit of the bar. */
  readonly samples: readonly number[]
  readonly bar: number
  /** `least`: the median must be at least the bar; `most`: at most. */
  readonly rule: 'least' | 'most'
  readonly unit?: string
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? NaN) : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2
}

/** The smallest value that a share of all values (0 to 1) does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN
}

export function held(goal: Goal): boolean {
  const measured = median(goal.samples)
  return goal.rule === 'least' ? measured >= goal.bar : measured <= goal.bar
}

const figure = (value: number): string => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3))

/** `goal <what>: <measured> (bar <bar>) held|missed`, the measured figure with its spread (min to max of the rounds). */
function goalLine(goal: Goal): string {
  const unit = goal.unit ?? ''
  const spread = `${figure(Math.min(...goal.samples))}–${figure(Math.max(...goal.samples))}, ${goal.samples.length} rounds`
  const bar = `${goal.rule === 'least' ? '≥' : '≤'} ${figure(goal.bar)}${unit}`
  return `goal ${goal.what}: ${figure(median(goal.samples))}${unit} [${spread}] (bar ${bar}) ${held(goal) ? 'held' : 'missed'}`
}

/** Prints the goals as lines, or with `--json` as one JSON array. */
export function report(goals: readonly Goal[], json: boolean): void {
  if (!json) for (const goal of goals) console.log(goalLine(goal))
  else console.log(JSON.stringify(goals.map((goal) => ({ ...goal, measured: median(goal.samples), min: Math.min(...goal.samples), max: Math.max(...goal.samples), held: held(goal) })), null, 2))
}
