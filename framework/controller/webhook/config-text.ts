import { Failure } from '#base/errors.ts'
import { invalid, type Problem } from '#api/validate/problem.ts'
import { parseConfig } from '#tars/conf.ts'

/**
 * Refuses text that the registry could not join into a server's configuration (framework-services G). Text that was there
 * before passes, so that an old object can still be changed elsewhere.
 * @param kind lower case, e.g. `tserver`
 * @param before the text before an update
 */
export function configTextProblems(kind: string, field: string, text: string, before: string | undefined): Problem[] {
  if (text === before) return []
  try {
    // Printing finds what can be read and not be written again, which joining does.
    parseConfig(text).toString()
    return []
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const why = error.context['line'] === undefined ? `line ${unprintableLine(text)}: ${error.message}` : error.message
    return [invalid(kind, field, 'value is not configuration text', why, error.remedy ?? 'correct that line')]
  }
}

/** Number of the first line whose name, key or value holds `<` or `>`. */
function unprintableLine(text: string): number {
  const lines = text.split('\n').map((line) => line.trim())
  return 1 + lines.findIndex((line) => (line.startsWith('<') ? line.slice(1, line.indexOf('>')).includes('<') : !line.startsWith('#') && /[<>]/.test(line)))
}
