/** Regular expressions of schemas. They are written for RE2; the few forms that differ in ECMAScript are translated. */
export class PatternCache {
  readonly #compiled = new Map<string, RegExp | undefined>()

  /** True when `value` matches, or when the pattern cannot be compiled (it was checked when the CRD was made). */
  test(pattern: string, value: string): boolean {
    if (!this.#compiled.has(pattern)) this.#compiled.set(pattern, compilePattern(pattern))
    return this.#compiled.get(pattern)?.test(value) ?? true
  }
}

/** @returns undefined when it is no regular expression */
export function compilePattern(pattern: string): RegExp | undefined {
  const translated = pattern
    .replace(/\(\?P</g, '(?<')
    .replace(/\\([pP])\{(\^?)([A-Za-z_]+)\}/g, (_whole, kind: string, negated: string, name: string) => `\\${negated === '^' ? flip(kind) : kind}{${name.length <= 2 ? name : `Script=${name}`}}`)
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$')
  return tryCompile(translated, 'u') ?? tryCompile(translated, '')
}

const flip = (kind: string): string => (kind === 'p' ? 'P' : 'p')

function tryCompile(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags)
  } catch {
    return undefined
  }
}
