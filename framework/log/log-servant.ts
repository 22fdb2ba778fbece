import { Log, readLogInfo, type LogInfo } from '#tars/protocol/LogF.ts'
import { Reader } from '#tars/codec/reader.ts'
import { Strings } from '#tars/codec/strings.ts'
import type { FunctionCodec, Interface } from '#tars/idl/interface.ts'
import type { Clock } from '#base/clock.ts'
import type { CallerCheck } from '#kube/caller-check.ts'
import { TarsCallError, type Current } from '#tars/server.ts'
import type { Bytes } from './files/log-files.ts'
import { pathOf, placeOfInfo, placeOfLogger, type Place } from './model/file-name.ts'
import { hourlyFormat, type Overrides } from './model/overrides.ts'
import { parseLogType, rotationOf, type LogType, type Rotation } from './model/rotation.ts'
import { parseTraceLine, type TraceLine } from './trace/line.ts'

export interface LogServantOptions {
  readonly append: (path: string, bytes: Bytes) => Promise<void>
  /** Each line begins with the name or address of who wrote it (framework-services 4.2, ipfix). */
  readonly namesNode: boolean
  readonly overrides: () => Overrides
  readonly onTraceLine: (line: TraceLine) => void
  /** Who may write the logs of a server. */
  readonly check: CallerCheck
  readonly clock: Clock
}

/** `iRet` for logs that are another server's. */
const refused = -99

/** Name under which services write their traces (framework-services 4.4). */
const traceFile = '_t_trace_'
const traces = { app: '_tars_', server: '_trace_' } as const
const longestTrace = 1 << 20
const separator = '|'

/** Logs that are told apart; made-up names cannot fill the memory. */
const mostKnown = 20_000

/** `tars.tarslog.LogObj` (framework-services 4): an answer says that the lines are in the file. */
export function logServant({ append, namesNode, overrides, onTraceLine, check, clock }: LogServantOptions) {
  const rotations = new Map<string, Rotation>()
  /** One rotation a file, so that all that write to it go on in the next one together. */
  const rotationAt = (place: Place, format: string, type: LogType | undefined): Rotation => remember(rotations, JSON.stringify([place, format, type?.periodMs]), () => rotationOf(format, type))
  const paths = new Map<string, string>()
  let second = -1
  /** What was asked for leads to the same file for a second at least: no format tells the time finer. */
  const pathAt = (asked: unknown, placeOf: () => Place, format: string, type: LogType | undefined): string => {
    const now = clock.now()
    if (Math.floor(now / 1000) !== second) paths.clear()
    second = Math.floor(now / 1000)
    return remember(paths, JSON.stringify([asked, format, type?.periodMs]), () => {
      const place = placeOf()
      return pathOf(place, rotationAt(place, format, type).label(now))
    })
  }
  /** Format and type of a log, as its writer asks or the server's own settings say (4.3). */
  const rotationAsked = (server: string, file: string, format: string, logType: string): [format: string, type: LogType | undefined] => {
    const { hourly, types } = overrides()
    const forced = types.get(`${server}.${file}`)
    if (forced !== undefined) return ['', parseLogType(forced)]
    return [hourly.has(server) ? hourlyFormat : format, parseLogType(logType)]
  }
  const write = (path: string, node: string, sep: string, lines: Strings): Promise<void> =>
    lines.count === 0 ? Promise.resolve() : append(path, new Headed(namesNode ? node + sep : '', lines))
  const trace = (info: LogInfo, buffer: Strings, node: string): Promise<void> => {
    const lines = [...buffer].filter((line) => line.length <= longestTrace)
    for (const line of lines) {
      const parsed = parseTraceLine(line.toString('utf8'))
      if (parsed !== undefined) onTraceLine(parsed)
    }
    const from = { ...info, appname: traces.app, servername: traces.server, setdivision: '' }
    const path = pathAt(from, () => placeOfInfo(from), info.sFormat, undefined)
    return write(path, [node, info.appname, info.servername].join(separator), separator, lines.length === buffer.count ? buffer : Strings.of(lines))
  }
  const guarded = ({ peer }: Current, server: string, lines: Strings, take: (lines: Strings) => Promise<void>): Promise<void> => {
    let [kept, taken] = [lines, false]
    const answer = check.guard(peer.address, server, () => {
      taken = true
      return take(kept)
    }, () => {
      throw new TarsCallError(refused, `the caller is no pod of ${server}, whose logs it would write`)
    })
    // Who calls is asked for first.
    if (!taken) kept = lines.kept()
    return Promise.resolve(answer)
  }
  return {
    logger(...[app, server, file, format, buffer, current]: readonly [app: string, server: string, file: string, format: string, buffer: Strings, current: Current]): Promise<void> {
      const rotation = rotationAsked(`${app}.${server}`, file, format, '')
      return guarded(current, `${app}.${server}`, buffer, (lines) => write(pathAt([app, server, file], () => placeOfLogger(app, server, file), ...rotation), current.caller, separator, lines))
    },
    loggerbyInfo(info: LogInfo, buffer: Strings, current: Current): Promise<void> {
      const { appname: app, servername: server } = info
      if (info.sFilename === traceFile) return guarded(current, `${app}.${server}`, buffer, (lines) => trace(info, lines, current.caller))
      const rotation = rotationAsked(`${app}.${server}`, info.sFilename, info.sFormat, info.sLogType)
      return guarded(current, `${app}.${server}`, buffer, (lines) => write(pathAt(info, () => placeOfInfo(info), ...rotation), current.caller, info.sSepar, lines))
    },
  }
}

/** Lines, each with what says whose they are before it. */
class Headed implements Bytes {
  readonly length: number
  readonly #head: Buffer
  readonly #lines: Strings

  constructor(head: string, lines: Strings) {
    this.#head = Buffer.from(head)
    this.#lines = lines
    this.length = lines.length + lines.count * this.#head.length
  }

  copy(target: Buffer, start: number): void {
    this.#lines.copy(target, start, this.#head)
  }
}

/** The value of a key, made when it is not known. */
function remember<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make()
  if (known.size >= mostKnown) known.clear()
  known.set(key, value)
  return value
}

/** Logs have any encoding: their lines are handed on as the bytes that were sent. */
export const LogOfBytes: Interface = { ...Log, functions: Object.assign(Object.create(null), Log.functions, bytesOf('logger', 5, 'buffer'), bytesOf('loggerbyInfo', 2, 'buffer')) }

/** The function with its last parameter, a vector of strings, as bytes. */
function bytesOf(name: 'logger' | 'loggerbyInfo', tag: number, parameter: string): Record<string, FunctionCodec> {
  const codec = Log.functions[name] as FunctionCodec
  const last = codec.params.length - 1
  const withBytes = (args: unknown[]): unknown[] => [...args.slice(0, last), Strings.of(args[last] as string[])]
  return {
    [name]: {
      ...codec,
      readArgs: (r) => [...(name === 'logger' ? [1, 2, 3, 4].map((one) => r.readString(one)) : [readLogInfo(r, 1)]), r.readStrings(tag)],
      readArgsTup: (map) => {
        const args = codec.readArgsTup(map)
        return [...args.slice(0, last), new Reader(map.get(parameter) ?? Buffer.alloc(0)).readStrings(0)]
      },
      argsFromJson: (value) => withBytes(codec.argsFromJson(value)),
    },
  }
}
