/**
 * What a file in a log folder is.
 * `current`: a log that its server has open, or opens again under this name; `dated`: a log of one day or hour, which may be the
 * present one; `rolled`: an older part; `core`: what a crash left.
 */
export type FileKind = 'current' | 'dated' | 'rolled' | 'core'

const forms: readonly (readonly [RegExp, FileKind])[] = [
  // Demo.Hello.log.3, Demo.Hello.log.2024-01-01, Demo.Hello.log.gz
  [/\.log\.[\w.-]+$/, 'rolled'],
  // Demo.Hello_20240101.log, Demo.Hello.2024-01-01-13.log
  [/(^|\D)\d{4}-?\d\d-?\d\d([-_]?\d\d)?\.log$/, 'dated'],
  [/.\.log$/, 'current'],
  // stdout_stderr.1
  [/^(stdout|stderr)[\w-]*\.[\w.-]+$/, 'rolled'],
  [/^(stdout|stderr)[\w-]*$/, 'current'],
  [/^core([._-]|$)/, 'core'],
]

/** By its name alone; undefined for a file that the agent leaves alone. */
export function kindOf(name: string): FileKind | undefined {
  return forms.find(([form]) => form.test(name))?.[1]
}

/** Native rolls Hello.log to Hello1.log, Hello2.log …: the log that such a name is a part of, if that is there. */
export function numberedPartOf(name: string): string | undefined {
  const [, stem] = /^(.*\D)\d{1,3}\.log$/.exec(name) ?? []
  return stem === undefined ? undefined : `${stem}.log`
}
