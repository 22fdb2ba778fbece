// Compiles a Java program of the tests with the libraries that its pom.xml names.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheDir, debianTool } from '../rig/tools.ts'

const run = promisify(execFile)

/** The first time on a machine it fetches the libraries by Maven and compiles, into the cache folder. @returns a folder with `classes` and `lib` */
export async function buildJava(name: string, source: string, pom: string): Promise<string> {
  const key = createHash('sha256').update(readFileSync(source)).update(readFileSync(pom)).digest('hex').slice(0, 16)
  const done = join(cacheDir, `${name}-${key}`)
  if (existsSync(done)) return done
  const [mvn, javac] = [await debianTool('mvn', 'maven'), await debianTool('javac', 'default-jdk-headless')]
  mkdirSync(cacheDir, { recursive: true })
  const work = mkdtempSync(join(cacheDir, `${name}-building-`))
  try {
    await run(mvn, ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${work}/lib`], { timeout: 300_000 })
    await run(javac, ['-encoding', 'UTF-8', '-d', `${work}/classes`, '-cp', `${work}/lib/*`, source], { timeout: 120_000 })
    if (!existsSync(done)) renameSync(work, done)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return done
}
