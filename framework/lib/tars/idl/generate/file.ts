import { basename, dirname, join, relative } from 'node:path/posix'
import { parseTars, type IncludeResolver } from '../parse.ts'
import { generateTypeScript } from './generate.ts'

/**
 * TypeScript for a .tars file on disk (or whatever `read` reads), its includes beside it.
 * @param read the text of a file; what it throws for an included one counts as "not found"
 * @param library specifier of the Tars library in the generated imports
 */
export function generateFile(file: string, read: (path: string) => string, library = '#tars'): string {
  const include: IncludeResolver = (name, from) => {
    const path = join(dirname(from), name)
    try {
      return { file: path, text: read(path) }
    } catch {
      return undefined
    }
  }
  return generateTypeScript(parseTars(file, read(file), include), {
    file,
    library,
    moduleOf: (included) => moduleSpecifier(relative(dirname(file), included)),
    schemaNameOf: (one) => `${basename(one, '.tars').replaceAll(/\W/g, '_')}Schema`,
  })
}

function moduleSpecifier(path: string): string {
  const module = path.replace(/\.tars$/, '') + '.ts'
  return module.startsWith('.') ? module : `./${module}`
}
