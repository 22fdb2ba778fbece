// Every base image there is, by language and version.
import { Failure } from '#base/errors.ts'
import { cpp } from './cpp/recipe.ts'
import { go } from './go/recipe.ts'
import { java } from './java/recipe.ts'
import { nodejs } from './nodejs/recipe.ts'
import { php } from './php/recipe.ts'
import { python } from './python/recipe.ts'
import type { BaseRecipe, LanguageBases, RecipeSources } from './recipe.ts'
import { statics } from './static/recipe.ts'

/** By the names that commands take. */
export const languages: Readonly<Record<string, LanguageBases>> = { nodejs, cpp, go, java, php, python, static: statics }

/** Names of all base images, those without a version first: `java`, `java:8` … */
export const baseNames: readonly string[] = Object.entries(languages).flatMap(([language, { standard, versions }]) => [language, ...Object.keys(versions).filter((version) => version !== standard).map((version) => `${language}:${version}`)])

/** A base image that there is a recipe for. */
export interface BaseChoice {
  /** As it was asked for, e.g. `java:21`. */
  readonly name: string
  readonly recipe: (sources: RecipeSources) => BaseRecipe | Promise<BaseRecipe>
}

/**
 * @param name a language, or `language:version`
 * @throws Failure BASE_LANGUAGE, BASE_VERSION
 */
export function chooseBaseImage(name: string): BaseChoice {
  const [language = ''] = name.split(':', 1)
  const found = own(languages, language)
  if (found === undefined) throw new Failure('BASE_LANGUAGE', `there is no base image for "${language}"`, { remedy: `choose one of ${Object.keys(languages).join(', ')}` })
  const version = name === language ? found.standard : name.slice(language.length + 1)
  const recipe = own(found.versions, version)
  if (recipe === undefined) throw new Failure('BASE_VERSION', `there is no base image for version "${version}" of ${language}`, { remedy: `choose one of ${Object.keys(found.versions).join(', ')}` })
  return { name, recipe }
}

const own = <T>(table: Readonly<Record<string, T>>, key: string): T | undefined => (Object.hasOwn(table, key) ? table[key] : undefined)
