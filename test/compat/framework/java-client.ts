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

/** Of its proxies for framework services. */
export type JavaProxy = 'query' | 'config' | 'notify' | 'log' | 'stat' | 'property'

export interface JavaCall {
  readonly prx: JavaProxy
  /** With its address. */
  readonly object: string
  readonly func: string
  /** 1 by its client, 3 (TUP) and 5 (JSON) by its codec. */
  readonly version: 1 | 3 | 5
  readonly args: readonly unknown[]
  /** Of in and of out parameters, for versions 3 and 5. */
  readonly names: readonly string[]
  readonly outs: readonly string[]
}

export interface JavaClient {
  call(call: JavaCall): Promise<JavaAnswer>
  /** Functions of all proxies that the library brings, by class. */
  proxies(): Promise<Readonly<Record<string, readonly string[]>>>
  /** A request as its client writes it in versions 1, 3 and 5. */
  bodies(): Promise<readonly Buffer[]>
  stop(): Promise<void>
}

export async function startJavaClient(): Promise<JavaClient> {
  const java = await debianTool('java', 'default-jdk-headless')
  const built = await buildJava('java-framework', join(import.meta.dirname, 'FrameworkClient.java'), join(import.meta.dirname, 'pom.xml'))
  const child = spawn(java, ['--add-exports', 'java.base/sun.reflect.generics.reflectiveObjects=ALL-UNNAMED', '-Xshare:auto', '-XX:TieredStopAtLevel=1', '-Xmx256m', '-cp', `${built}/classes:${built}/lib/*`, 'FrameworkClient'])
  const waiting: PromiseWithResolvers<object>[] = []
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as { readonly error?: string }
    const next = waiting.shift()
    if (answer.error === undefined) next?.resolve(answer)
    else next?.reject(new Error(`TarsJava: ${answer.error}`))
  })
  child.once('close', (code) => {
    for (const one of waiting.splice(0)) one.reject(new Error(`the Java client ended with ${code}: ${stderr}`))
  })
  const ask = <T extends object>(request: object): Promise<T> => {
    const answer = Promise.withResolvers<object>()
    waiting.push(answer)
    child.stdin.write(`${JSON.stringify(request)}\n`)
    return answer.promise as Promise<T>
  }
  return {
    call: ask<JavaAnswer>,
    proxies: async () => (await ask<{ proxies: Record<string, string[]> }>({ op: 'proxies' })).proxies,
    bodies: async () => (await ask<{ bodies: string[] }>({ op: 'bodies' })).bodies.map((hex) => Buffer.from(hex, 'hex')),
    async stop() {
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.stdin.end()
      await ended
    },
  }
}
