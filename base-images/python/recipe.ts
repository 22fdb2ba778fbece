import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { commonEnv, commonPackages, nativePackages, type BaseRecipe, type LanguageBases } from '../recipe.ts'

/** The texts of `help()`, and what ports Python 2 code. */
const unused = ['pydoc_data', 'lib2to3']

/** Python with its whole standard library, for type python. Extension modules of packages find the C++ runtime. */
export const pythonbase: BaseRecipe = {
  name: 'pythonbase',
  supportedTypes: ['python'],
  suite: 'bookworm',
  packages: [...commonPackages, ...nativePackages, 'python3'],
  env: { ...commonEnv, PYTHONUNBUFFERED: '1' },
  revision: '1',
  async finish(root) {
    for (const folder of unused) await rm(join(root, 'usr/lib/python3.11', folder), { recursive: true, force: true })
  },
}

export const python: LanguageBases = { standard: '3', versions: { 3: () => pythonbase } }
