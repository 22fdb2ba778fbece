// The Java service of the compatibility tests, built with Maven as its owner would.
import { createHash } from 'node:crypto'
import { existsSync, globSync } from 'node:fs'
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run } from '../rig/local-cluster.ts'
import { cacheDir, debianTool } from '../rig/tools.ts'

const source = join(import.meta.dirname, 'services/java-hello')

/** @returns path of JavaServer.jar, built once for its sources and kept outside the clone */
export const javaPackage = (): Promise<string> => build('hello', 'JavaServer.jar', ['package'], (work, jar) => rename(join(work, 'target/JavaServer.jar'), jar))

/** @returns path of the folder WEB-INF of the same service as a war, with its libraries beside it */
export const javaWar = (): Promise<string> =>
  build('war', 'WEB-INF', ['compile', 'dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=target/lib'], async (work, folder) => {
    await mkdir(join(work, 'WEB-INF'))
    for (const part of ['classes', 'lib']) await rename(join(work, 'target', part), join(work, 'WEB-INF', part))
    await rename(join(work, 'WEB-INF'), folder)
  })

/** What Maven makes of the sources, kept under a name that follows their content. */
async function build(kind: string, name: string, goals: readonly string[], keep: (work: string, result: string) => Promise<void>): Promise<string> {
  const files = globSync('**/*', { cwd: source }).filter((file) => /\.(java|xml)$/.test(file)).sort()
  const hash = createHash('sha256')
  for (const file of files) hash.update(file).update(await readFile(join(source, file)))
  const result = join(cacheDir, 'java', `${kind}-${hash.digest('hex').slice(0, 16)}`, name)
  if (existsSync(result)) return result
  await debianTool('javac', 'default-jdk-headless')
  const mvn = await debianTool('mvn', 'maven')
  const work = `${dirname(result)}.${process.pid}.tmp`
  await rm(work, { recursive: true, force: true })
  await mkdir(work, { recursive: true })
  await cp(source, work, { recursive: true })
  const built = await run(mvn, ['-q', '-B', ...goals], { cwd: work })
  if (built.code !== 0) throw new Error(`mvn ${goals.join(' ')} failed:\n${built.out}${built.err}`)
  await mkdir(dirname(result), { recursive: true })
  // Another run may have been faster with the same.
  await keep(work, result).catch((error: unknown) => {
    if (!existsSync(result)) throw error
  })
  await rm(work, { recursive: true, force: true })
  return result
}
