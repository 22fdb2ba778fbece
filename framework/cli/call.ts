import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Failure } from '#base/errors.ts'
import { Communicator } from '#tars/client.ts'
import { defineInterface, type FunctionCodec } from '#tars/idl/interface.ts'
import { credentialsEnv } from '#tars/security.ts'
import { parseTars } from '#tars/idl/parse.ts'
import type { Schema } from '#tars/idl/schema.ts'
import { defineCommand, usageError, type Input } from './parts/command.ts'
import { hostsResolver } from './parts/hosts.ts'
import { argumentsOf, printJson } from './parts/json-arguments.ts'

const pingFunction = 'tars_ping'

export const run = defineCommand(
  {
    name: 'call',
    synopsis: '<object> <function> [argument …] --tars FILE [--interface NAME] [--timeout MS] [--context KEY=VALUE]…',
    names: [2, 64],
    options: { tars: { type: 'string' }, interface: { type: 'string' }, timeout: { type: 'string' }, context: { type: 'string', multiple: true } },
    help: `
Calls a function of a running servant and prints its result as JSON. The object is App.Server.Obj, found through
tarsregistry, or carries its address: "App.Server.Obj@tcp -h HOST -p PORT". Each argument is JSON, and a text that is
no JSON stands for itself where the function takes a string; out parameters are left out. Of a function called
tars_ping no .tars file is needed.

  --tars FILE          the interface, with what it includes beside it
  --interface NAME     which interface of the file; needed when several have the function
  --timeout MS         milliseconds to wait, default 3000
  --context KEY=VALUE  goes with the request; may be repeated

TARS_ACCESS_KEY and TARS_SECRET_KEY of the environment are the account for objects that want one ("-e 1"), TARS_CA is a
file of the authorities that certificates of objects with TLS ("ssl") are checked by, TARS_TLS_NAME the name in them.

example: tarsk8s call Demo.Hello.HelloObj hello '"world"' --tars Hello.tars`,
  },
  async (input) => {
    const { names: [object = '', name = '', ...given], flags, io } = input
    const communicator = communicatorFor(input, object)
    try {
      const options = { signal: io.signal, timeoutMs: flags.whole('timeout', [1, 3_600_000]) ?? 3000, context: contextOf(flags.list('context')) }
      if (name === pingFunction) {
        await communicator.ping(object, options)
        io.out.write('"pong"\n')
        return
      }
      const codec = findFunction(schemaOf(input), name, flags.text('interface'))
      const result = await communicator.invoke(object, codec, argumentsOf(codec, given), options)
      io.out.write(`${printJson(codec.resultToJson(result))}\n`)
    } finally {
      await communicator.close()
    }
  },
)

function communicatorFor({ cluster, io }: Input, object: string): Communicator {
  const hosts = cluster.hostsFile()
  return new Communicator({
    ...credentialsEnv(io.env),
    ...(object.includes('@') ? {} : { locator: locatorObject(cluster.locator()) }),
    ...(hosts === undefined ? {} : { resolve: hostsResolver(hosts) }),
  })
}

/** An endpoint alone is the registry's. */
function locatorObject(locator: string): string {
  return locator.includes('@') ? locator : `tars.tarsregistry.QueryObj@${locator}`
}

function schemaOf({ flags, io }: Input): Schema {
  const file = resolve(io.cwd, flags.required('tars', 'Hello.tars'))
  return parseTars(file, readText(file), (name, from) => {
    const path = resolve(dirname(from), name)
    return { file: path, text: readText(path) }
  }).schema
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Failure('TARS_FILE', `${file} cannot be read`, { cause, remedy: 'name the .tars file with --tars' })
  }
}

function findFunction(schema: Schema, name: string, wanted: string | undefined): FunctionCodec {
  const names = wanted === undefined ? Object.keys(schema.interfaces) : [wanted]
  const found = names.map((one) => defineInterface(schema, one)).filter((one) => name in one.functions)
  const [only, other] = found
  const codec = only?.functions[name]
  if (only === undefined || codec === undefined) {
    const known = names.flatMap((one) => Object.keys(defineInterface(schema, one).functions)).join(', ')
    throw usageError(`the .tars file has no function ${name}`, `use one of: ${known}`)
  }
  if (other !== undefined) throw usageError(`${found.map((one) => one.name).join(' and ')} both have a function ${name}`, 'choose with --interface')
  return codec
}

function contextOf(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(pairs.map((pair) => {
    const at = pair.indexOf('=')
    if (at < 1) throw usageError(`--context must be KEY=VALUE, not "${pair}"`)
    return [pair.slice(0, at), pair.slice(at + 1)]
  }))
}
