// The codec of TarsJava as a peer: a Java process that encodes and decodes what it is told on its standard input.
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Schema, Type } from '#tars/idl/schema.ts'
import { debianTool } from '../../rig/tools.ts'
import { buildJava } from '../java-build.ts'

const source = join(import.meta.dirname, 'src', 'Codec.java')
const pom = join(import.meta.dirname, 'pom.xml')

export interface JavaPeer {
  /** The field as TarsJava writes it. */
  encode(type: Type, tag: number, value: unknown): Promise<Buffer>
  /** The value as TarsJava reads it. */
  decode(type: Type, tag: number, bytes: Buffer): Promise<unknown>
  stop(): Promise<void>
}

/** Starts the peer; the first time on a machine it fetches the libraries by Maven and compiles, into the cache folder. */
export async function startJavaPeer(schema: Schema): Promise<JavaPeer> {
  const java = await debianTool('java', 'default-jdk-headless')
  const classes = await buildJava('java-codec', source, pom)
  const child = spawn(java, ['-Xshare:auto', '-XX:TieredStopAtLevel=1', '-Xmx256m', '-cp', `${classes}/classes:${classes}/lib/*`, 'Codec'])
  const ask = asker(child)
  return {
    async encode(type, tag, value) {
      const answer = await ask({ op: 'encode', type: expand(type, schema), tag, value: toJson(type, value, schema) })
      return Buffer.from(answer['hex'] as string, 'hex')
    },
    async decode(type, tag, bytes) {
      const answer = await ask({ op: 'decode', type: expand(type, schema), tag, hex: bytes.toString('hex') })
      return fromJson(type, answer['value'], schema)
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('close', resolve))
      child.stdin.end()
      await ended
    },
  }
}

type Answer = Record<string, unknown>

function asker(child: ChildProcessWithoutNullStreams): (request: object) => Promise<Answer> {
  const waiting: PromiseWithResolvers<Answer>[] = []
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer
    const next = waiting.shift()
    if (answer['error'] === undefined) next?.resolve(answer)
    else next?.reject(new Error(`TarsJava: ${String(answer['error'])}`))
  })
  child.once('close', (code) => {
    for (const one of waiting.splice(0)) one.reject(new Error(`the Java peer ended with ${code}: ${stderr}`))
  })
  return (request) => {
    const answer = Promise.withResolvers<Answer>()
    waiting.push(answer)
    child.stdin.write(`${JSON.stringify(request)}\n`)
    return answer.promise
  }
}

function expand(type: Type, schema: Schema): unknown {
  if (typeof type === 'string') return type
  if ('bytes' in type) return 'bytes'
  if ('vector' in type) return { vector: expand(type.vector, schema) }
  if ('map' in type) return { map: type.map.map((one) => expand(one, schema)) }
  if ('enum' in type) return 'int'
  return { name: type.struct, fields: schema.structs[type.struct]?.fields.map((field) => ({ tag: field.tag, type: expand(field.type, schema) })) }
}

function toJson(type: Type, value: unknown, schema: Schema): unknown {
  if (typeof type === 'string' || 'enum' in type) return scalarToJson(type, value)
  if ('bytes' in type) return scalarToJson('bytes', value)
  if ('vector' in type) return (value as unknown[]).map((element) => toJson(type.vector, element, schema))
  if ('map' in type) return [...value as Map<unknown, unknown>].map(([k, v]) => [toJson(type.map[0], k, schema), toJson(type.map[1], v, schema)])
  return schema.structs[type.struct]?.fields.map((field) => toJson(field.type, (value as Answer)[field.name], schema))
}

function scalarToJson(type: Type, value: unknown): unknown {
  if (type === 'bytes') return (value as Buffer).toString('hex')
  return type === 'bool' || type === 'string' ? value : String(value)
}

function fromJson(type: Type, json: unknown, schema: Schema): unknown {
  if (typeof type === 'string' || 'enum' in type) return scalarFromJson(type, json)
  if ('bytes' in type) return scalarFromJson('bytes', json)
  if ('vector' in type) return (json as unknown[]).map((element) => fromJson(type.vector, element, schema))
  if ('map' in type) return new Map((json as [unknown, unknown][]).map(([k, v]) => [fromJson(type.map[0], k, schema), fromJson(type.map[1], v, schema)]))
  const fields = schema.structs[type.struct]?.fields ?? []
  return Object.fromEntries(fields.map((field, index) => [field.name, fromJson(field.type, (json as unknown[])[index], schema)]))
}

function scalarFromJson(type: Type, json: unknown): unknown {
  if (type === 'bytes') return Buffer.from(json as string, 'hex')
  if (type === 'bool' || type === 'string') return json
  if (type === 'float') return Math.fround(Number(json)) // Java prints the shortest text that tells floats apart
  return type === 'long' ? BigInt(json as string) : Number(json)
}
