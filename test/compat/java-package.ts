// The Java service of the compatibility tests, built with Maven as its owner would.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { globSync } from 'node:fs'
import { run } from '../rig/local-cluster.ts'
import { cacheDir, debianTool } from '../rig/tools.ts'

const source = join(import.meta.dirname, 'services/java-hello')

/** @returns path of JavaServer.jar, built once for its sources and kept outside the clone */
export async function javaPackage(): Promise<string> {
  const files = globSync('**/*', { cwd: source }).filter((file) => /\.(java|xml)$/.test(file)).sort()
  const hash = createHash('sha256')
  for (const file of files) hash.update(file).update(await readFile(join(source, file)))
  const jar = join(cacheDir, 'java', `hello-${hash.digest('hex').slice(0, 16)}`, 'JavaServer.jar')
  if (existsSync(jar)) return jar
  await debianTool('javac', 'default-jdk-headless')
  const mvn = await debianTool('mvn', 'maven')
  const work = `${join(jar, '..')}.${process.pid}.tmp`
  await rm(work, { recursive: true, force: true })
  await mkdir(work, { recursive: true })
  await cp(source, work, { recursive: true })
  const built = await run(mvn, ['-q', '-B', 'package'], { cwd: work })
  if (built.code !== 0) throw new Error(`mvn package failed:\n${built.out}${built.err}`)
  await mkdir(join(jar, '..'), { recursive: true })
  await rename(join(work, 'target/JavaServer.jar'), jar)
  await rm(work, { recursive: true, force: true })
  return jar
}
