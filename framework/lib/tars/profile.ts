// The configuration text of a server: its own profile over its template's chain (framework-services 1.7). Pure.
import { describe } from '#base/errors.ts'
import { joinConfig, parseConfig } from './conf.ts'

/** A template, as far as it matters here. */
export interface Template {
  readonly spec: { readonly content: string; readonly parent: string }
}

export interface Rendered {
  /** The joined text; what was joined before the trouble when there is some. */
  readonly text: string
  /** Why the chain could not be followed to its end. */
  readonly problem?: string
}

/**
 * Joins `profile` with template `name`, its parent, and so on; a child's values win over its parent's.
 * The chain ends at a template that is its own parent or names none. A template that is missing, cannot be
 * parsed, or comes up twice is a problem, never a loop.
 */
export function renderProfile(profile: string, name: string, templates: (name: string) => Template | undefined): Rendered {
  const unreadable = problemOf(() => parseConfig(profile).toString())
  if (unreadable !== undefined) return { text: profile, problem: `its own profile cannot be read: ${unreadable}` }
  const seen = new Set<string>()
  let text = profile
  for (let next = name; ; ) {
    if (seen.has(next)) return { text, problem: `template chain ${[...seen, next].join(' → ')} is a cycle` }
    seen.add(next)
    const template = templates(next)
    if (template === undefined) return { text, problem: `template ${next} does not exist` }
    const { content, parent } = template.spec
    const broken = problemOf(() => (text = joinConfig(text, content, false)))
    if (broken !== undefined) return { text, problem: `template ${next} cannot be joined: ${broken}` }
    if (parent === next || parent === '') return { text }
    next = parent
  }
}

const languages = /^tars\.(cpp|go|java|nodejs|php|python)$/
const nativeDefault = 'tars_cpp'

/** What native's tables have as the `server_type` of a server: `tars_java` for one whose template is tars.java, or has that above it. */
export function nativeType(template: string, templates: (name: string) => Template | undefined): string {
  const seen = new Set<string>()
  for (let next = template; !seen.has(next); next = templates(next)?.spec.parent ?? '') {
    const language = languages.exec(next)?.[1]
    if (language !== undefined) return `tars_${language}`
    seen.add(next)
  }
  return nativeDefault
}

function problemOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return describe(error)
  }
}
