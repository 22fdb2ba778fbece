import { Failure } from '#base/errors.ts'
import { join, resolve } from 'node:path'
import { splitArgv } from './argv.ts'
import type { LaunchInput, LaunchPlan } from './plan.ts'
import { findInterpreter, onPath } from './programs.ts'

/** java-jar: `java -Dconfig=<conf> <jvmparams> -jar <bin>/<Server>.jar`. */
export function planJavaJar(input: LaunchInput): LaunchPlan {
  const { paths, server, files } = input
  const jar = join(paths.binDir, `${server}.jar`)
  if (!files.isFile(jar)) {
    const others = files.list(paths.binDir).filter((name) => name.endsWith('.jar'))
    const seen = others.length === 0 ? 'the folder holds no jar' : `the folder holds ${others.slice(0, 5).join(', ')}`
    throw new Failure('LAUNCH_NO_ENTRY', `no ${jar}; ${seen}`, { remedy: `pack the executable jar as ${server}.jar` })
  }
  return javaPlan(input, ['-jar', jar])
}

/** java-war: `java -Dconfig=<conf> <jvmparams> -cp <classpath> <mainclass>`. */
export function planJavaWar(input: LaunchInput): LaunchPlan {
  const mainClass = input.setting('mainclass')
  if (mainClass === undefined || mainClass === '') {
    throw new Failure('LAUNCH_NO_MAIN_CLASS', 'the conf has no /tars/application/server<mainclass>', { remedy: 'use the template tars.java or set mainclass in the profile' })
  }
  return javaPlan(input, ['-cp', classpath(input), mainClass])
}

function javaPlan(input: LaunchInput, what: readonly string[]): LaunchPlan {
  const { paths, env, setting } = input
  const home = env['JAVA_HOME'] ?? ''
  return {
    file: findInterpreter('java', 'java', [...onPath('java', input), ...(home === '' ? [] : [join(home, 'bin', 'java')])], input),
    argv: ['java', `-Dconfig=${paths.confFile}`, ...splitArgv(setting('jvmparams') ?? '', 'key /tars/application/server<jvmparams>'), ...what],
    cwd: paths.binDir,
    env,
  }
}

/** The template's class path; a folder that holds jars is joined by its `/*`, without which java would load none of them. */
function classpath({ setting, paths, files }: LaunchInput): string {
  const entries = (setting('classpath') || 'conf:WEB-INF/classes:WEB-INF/lib').split(':').filter((entry) => entry !== '')
  const places = entries.map((entry) => resolve(paths.binDir, entry.replace(/\/\*$/, '')))
  if (!places.some((place) => files.isDirectory(place) || files.isFile(place))) {
    throw new Failure('LAUNCH_NO_ENTRY', `nothing of the class path is there; looked for ${places.join(', ')}`, { remedy: 'pack the war with WEB-INF/classes and WEB-INF/lib, or correct the key classpath of the profile' })
  }
  const hasJars = (place: string): boolean => files.list(place).some((name) => name.endsWith('.jar'))
  return entries.flatMap((entry, at) => (!entry.endsWith('/*') && hasJars(places[at] ?? '') ? [entry, `${entry}/*`] : [entry])).join(':')
}
