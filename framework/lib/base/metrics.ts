/** Names of the things measured, by label. */
export type Labels = Readonly<Record<string, string>>
export type Sample = readonly [value: number, labels?: Labels]

const escaped = (value: string): string => value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))

/** Content type of Prometheus' text format. */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

/** Labels as they stand behind a metric's name; for samples that are written again and again. */
export function labelsText(labels: Labels): string {
  const inner = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`).join(',')
  return inner === '' ? '' : `{${inner}}`
}

/** What stands before the samples of a metric. A name that ends in `_total` is a counter, every other a gauge. */
export const metricHead = (name: string, help: string): string => `# HELP ${name} ${help}\n# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}\n`

/** One metric in Prometheus' text format 0.0.4; nothing when there is no sample. */
export function metric(name: string, help: string, samples: readonly Sample[]): string {
  return samples.length === 0 ? '' : metricHead(name, help) + samples.map(([value, labels = {}]) => `${name}${labelsText(labels)} ${value}\n`).join('')
}

/** The same for metrics whose names begin alike. @param prefix e.g. `tarsnode_` */
export function metricsOf(prefix: string): typeof metric {
  return (name, help, samples) => metric(`${prefix}${name}`, help, samples)
}
