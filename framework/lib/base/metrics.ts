/** Names of the things measured, by label. */
export type Labels = Readonly<Record<string, string>>
export type Sample = readonly [value: number, labels?: Labels]

const escaped = (value: string): string => value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))

/** Content type of Prometheus' text format. */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8'

/** One metric in Prometheus' text format 0.0.4; nothing when there is no sample. A name that ends in `_total` is a counter, every other a gauge. */
export function metric(name: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([value, labels = {}]) => {
    const inner = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`).join(',')
    return `${name}${inner === '' ? '' : `{${inner}}`} ${value}\n`
  })
  return samples.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}\n${lines.join('')}`
}

/** The same for metrics whose names begin alike. @param prefix e.g. `tarsnode_` */
export function metricsOf(prefix: string): typeof metric {
  return (name, help, samples) => metric(`${prefix}${name}`, help, samples)
}
