import { commonEnv, commonPackages, type BaseRecipe } from '../recipe.ts'

/** For native executables: C++, Go, and Node services packed into one executable. */
export const cppbase: BaseRecipe = {
  name: 'cppbase',
  supportedTypes: ['cpp', 'go', 'nodejs-pkg'],
  packages: [...commonPackages],
  env: commonEnv,
  revision: '1',
}
