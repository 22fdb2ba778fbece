// TarsJava as a client of the framework's services: a Java process that calls what it is told on its standard input.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { debianTool } from '../../rig/tools.ts'
import { buildJava } from '../java-build.ts'

export interface JavaAnswer {
  readonly return: unknown
  /** Out parameters in order. */
  readonly out: readonly unknown[]
}

export interface JavaClient {
  call(prx: 'query' | 'config' | 'notify' | 'log', object: string, func: string, args: readonly unknown[]): Promise<JavaAnswer>
  stop(): Promise<void>
}

export async function startJavaClient(): Promise<JavaClient> {
  const java = await debianTool('java', 'default-jdk-headless')
  const built = await buildJava('java-framework', join(import.meta.dirname, 'FrameworkClient.java'), join(import.meta.dirname, 'pom.xml'))
  const child = spawn(java, ['-Xshare:auto', '-XX:TieredStopAtLevel=1', '-Xmx256m', '-cp', `${built}/classes:${built}/lib/*`, 'FrameworkClient'])
  const waiting: PromiseWithResolvers<JavaAnswer>[] = []
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as JavaAnswer & { readonly error?: string }
    const next = waiting.shift()
    if (answer.error === undefined) next?.resolve(answer)
    else next?.reject(new Error(`TarsJava: ${answer.error}`))
  })
  child.once('close', (code) => {
    for (const one of waiting.splice(0)) one.reject(new Error(`the Java client ended with ${code}: ${stderr}`))
  })
  return {
    call(prx, object, func, args) {
      const answer = Promise.withResolvers<JavaAnswer>()
      waiting.push(answer)
      child.stdin.write(`${JSON.stringify({ prx, object, func, args })}\n`)
      return answer.promise
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.stdin.end()
      await ended
    },
  }
}
