import { Reader } from '#tars/codec/reader.ts'
import { Strings } from '#tars/codec/strings.ts'
import type { FunctionCodec, Interface } from '#tars/idl/interface.ts'
import { Log, readLogInfo, type LogInfo } from '#tars/protocol/LogF.ts'
import { Remembered } from './model/remembered.ts'

/** What `logger` is asked for besides its lines. */
export interface LoggerHead {
  readonly app: string
  readonly server: string
  readonly file: string
  readonly format: string
}

/** Both functions as they are served: what is asked for, and the lines as the bytes that were sent, as logs have any encoding. */
interface Form<Head> {
  readonly codec: FunctionCodec
  /** Tag and name of the lines. */
  readonly tag: number
  readonly parameter: string
  readonly read: (r: Reader) => Head
  readonly of: (args: readonly unknown[]) => Head
}

/** Bytes of what is asked for, up to which it is remembered. */
const longestHead = 1024

/**
 * Log, served with two arguments a function: what is asked for ({@link LoggerHead}, LogInfo), which in version 1 is the same object each
 * time that it comes in the same bytes, so that what follows from it can be found by it; and the lines, as Strings.
 */
export function logInterface(): Interface {
  const logger = served<LoggerHead>({
    codec: Log.functions['logger'] as FunctionCodec, tag: 5, parameter: 'buffer',
    read: (r) => ({ app: r.readString(1), server: r.readString(2), file: r.readString(3), format: r.readString(4) }),
    of: ([app, server, file, format]) => ({ app, server, file, format }) as LoggerHead,
  })
  const loggerbyInfo = served<LogInfo>({
    codec: Log.functions['loggerbyInfo'] as FunctionCodec, tag: 2, parameter: 'buffer',
    read: (r) => readLogInfo(r, 1),
    of: ([info]) => info as LogInfo,
  })
  return { ...Log, functions: Object.assign(Object.create(null), { logger, loggerbyInfo }) }
}

function served<Head>({ codec, tag, parameter, read, of }: Form<Head>): FunctionCodec {
  const heads = new Remembered<Head>()
  return {
    ...codec,
    readArgs(r) {
      const sent = r.readBelow(tag)
      const make = (): Head => read(new Reader(Buffer.from(sent, 'latin1')))
      return [sent.length > longestHead ? make() : heads.get(sent, make), r.readStrings(tag)]
    },
    readArgsTup: (map) => [of(codec.readArgsTup(map)), new Reader(map.get(parameter) ?? Buffer.alloc(0)).readStrings(0)],
    argsFromJson(value) {
      const args = codec.argsFromJson(value)
      return [of(args), Strings.of(args.at(-1) as string[])]
    },
  }
}
