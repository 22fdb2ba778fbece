export type Labels = Readonly<Record<string, string>>
export type Sample = readonly [value: number, labels?: Labels]

const escaped = (value: string): string => value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))

/** One metric in Prometheus' text format 0.0.4; nothing when there is no sample. A name that ends in `_total` is a counter, every other a gauge. */
export function metric(name: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([value, labels = {}]) => {
    const inner = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`).join(',')
    return `${name}${inner === '' ? '' : `{${inner}}`} ${value}\n`
  })
  return samples.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}\n${lines.join('')}`
}

/** Content type of the format. */
export const metricsType = 'text/plain; version=0.0.4; charset=utf-8'
