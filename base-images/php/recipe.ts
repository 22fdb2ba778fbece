import { copyFile, glob, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { commonEnv, commonPackages, nativePackages, type BaseRecipe, type LanguageBases } from '../recipe.ts'

const version = '8.4'
/** Extensions besides those in php-cli and php-common (openssl, pcntl, posix, sockets …). */
const extensions = ['curl', 'igbinary', 'mbstring', 'redis', 'xml', 'zip', 'zstd']

/** PHP for the command line, with the extensions of Tars services that Debian has. The old names of time zones are a package of their own. */
export const php8base: BaseRecipe = {
  name: 'php8base',
  supportedTypes: ['php'],
  suite: 'trixie',
  packages: [...commonPackages, ...nativePackages, 'tzdata-legacy', `php${version}-cli`, ...extensions.map((name) => `php${version}-${name}`)],
  env: commonEnv,
  revision: '2',
  finish: configure,
}

/** Switches all extensions on, in the order that their packages ask for, as phpenmod does. */
async function configure(root: string): Promise<void> {
  await symlink(`php${version}`, join(root, 'usr/bin/php'))
  const settings = join(root, 'etc/php', version, 'cli')
  await mkdir(join(settings, 'conf.d'), { recursive: true })
  await copyFile(join(root, `usr/lib/php/${version}/php.ini-production.cli`), join(settings, 'php.ini'))
  for await (const file of glob([`usr/share/php${version}-*/*/*.ini`, `etc/php/${version}/mods-available/*.ini`], { cwd: root })) {
    const text = await readFile(join(root, file), 'utf8')
    const priority = /^; *priority *= *(\d+)/m.exec(text)?.[1] ?? '20'
    await writeFile(join(settings, 'conf.d', `${priority}-${basename(file)}`), text)
  }
}

export const php: LanguageBases = { standard: '8', versions: { 8: () => php8base } }
