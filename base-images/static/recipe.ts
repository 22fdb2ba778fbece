import { commonEnv, dataPackages, type BaseRecipe, type LanguageBases } from '../recipe.ts'

/** Data alone, for executables that need no library: no C library, no shell, no program at all. */
export const staticbase: BaseRecipe = {
  name: 'staticbase',
  supportedTypes: ['cpp', 'go'],
  suite: 'bookworm',
  packages: [...dataPackages],
  env: commonEnv,
  revision: '1',
}

export const statics: LanguageBases = { standard: 'bookworm', versions: { bookworm: () => staticbase } }
