// Weights of a server's pods by what tarsstat counted of calls to them (framework-services 1.5). Pure.

/** Of calls to one pod in some minutes. */
export interface Figures {
  /** Calls that were answered. */
  readonly answered: number
  readonly timedOut: number
  /** Milliseconds that the answered ones took in all. */
  readonly totalMs: number
}

const least = 10
const full = 100

/** Two parts that make a weight. */
export interface Shares {
  /** Percent that the time of answers counts; the rest is for timeouts. */
  readonly time: number
}

/** Weight by key; keys without figures have none. */
export function weightsByLoad(figures: ReadonlyMap<string, Figures>, { time }: Shares): Map<string, number> {
  const averages = new Map([...figures].flatMap(([key, { answered, totalMs }]) => (answered === 0 ? [] : [[key, totalMs / answered] as const])))
  const sum = [...averages.values()].reduce((all, one) => all + one, 0)
  return new Map([...figures].map(([key, one]) => [key, Math.round((timeWeight(averages.get(key), sum, averages.size) * time + timeoutWeight(one) * (full - time)) / full)]))
}

/** The quicker in comparison, the more; nothing to compare is the least. */
function timeWeight(average: number | undefined, sum: number, count: number): number {
  if (average === undefined) return least
  return sum === 0 ? full : Math.max(least, (full * count * (sum - average)) / sum)
}

function timeoutWeight({ answered, timedOut }: Figures): number {
  if (answered + timedOut === 0) return full
  return answered === 0 ? least : full - (90 * timedOut) / (answered + timedOut)
}
