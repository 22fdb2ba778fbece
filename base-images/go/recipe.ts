import { commonEnv, commonPackages, type BaseRecipe, type LanguageBases } from '../recipe.ts'

/** For Go executables, also those that call C. */
export const gobase: BaseRecipe = {
  name: 'gobase',
  supportedTypes: ['go'],
  suite: 'bookworm',
  packages: [...commonPackages],
  env: commonEnv,
  revision: '1',
}

export const go: LanguageBases = { standard: 'bookworm', versions: { bookworm: () => gobase } }
