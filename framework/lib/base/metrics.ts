/** Names of the things measured, by label. */
export type Labels = Readonly<Record<string, string>>
export type Sample = readonly [value: number, labels?: Labels]

const escaped = (value: string): string => value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))

/**
 * Makes metrics in Prometheus' text format 0.0.4. A name that ends in `_total` is a counter, every other a gauge; without samples
 * there is no text.
 * @param prefix of all names, e.g. `tarsnode_`
 */
export function metricsOf(prefix: string): (name: string, help: string, samples: readonly Sample[]) => string {
  return (name, help, samples) => {
    const full = `${prefix}${name}`
    const lines = samples.map(([value, labels = {}]) => {
      const inner = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`).join(',')
      return `${full}${inner === '' ? '' : `{${inner}}`} ${value}\n`
    })
    return samples.length === 0 ? '' : `# HELP ${full} ${help}\n# TYPE ${full} ${name.endsWith('_total') ? 'counter' : 'gauge'}\n${lines.join('')}`
  }
}
