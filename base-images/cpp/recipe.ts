import { commonEnv, commonPackages, nativePackages, type BaseRecipe, type LanguageBases } from '../recipe.ts'

/** For native executables: C++, Go, and Node services packed into one executable. */
export const cppbase: BaseRecipe = {
  name: 'cppbase',
  supportedTypes: ['cpp', 'go', 'nodejs-pkg'],
  suite: 'bookworm',
  packages: [...commonPackages, ...nativePackages, 'libssl3'],
  env: commonEnv,
  revision: '1',
}

export const cpp: LanguageBases = { standard: 'bookworm', versions: { bookworm: () => cppbase } }
