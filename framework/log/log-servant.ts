import { Log, readLogInfo, type LogInfo } from '#tars/protocol/LogF.ts'
import { Reader } from '#tars/codec/reader.ts'
import type { FunctionCodec, Interface } from '#tars/idl/interface.ts'
import type { Clock } from '#base/clock.ts'
import type { CallerCheck } from '#kube/caller-check.ts'
import { TarsCallError, type Current } from '#tars/server.ts'
import { pathOf, placeOfInfo, placeOfLogger, type Place } from './model/file-name.ts'
import { hourlyFormat, type Overrides } from './model/overrides.ts'
import { parseLogType, rotationOf, type LogType, type Rotation } from './model/rotation.ts'
import { parseTraceLine, type TraceLine } from './trace/line.ts'

export interface LogServantOptions {
  readonly append: (path: string, bytes: Buffer) => Promise<void>
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
const mostRotations = 20_000

/** `tars.tarslog.LogObj` (framework-services 4): an answer says that the lines are in the file. */
export function logServant({ append, namesNode, overrides, onTraceLine, check, clock }: LogServantOptions) {
  const rotations = new Map<string, Rotation>()
  /** One rotation a file, so that all that write to it go on in the next one together. */
  const pathAt = (place: Place, format: string, type: LogType | undefined): string => {
    const key = JSON.stringify([place, format, type?.periodMs])
    const rotation = rotations.get(key) ?? rotationOf(format, type)
    if (rotations.size >= mostRotations) rotations.clear()
    rotations.set(key, rotation)
    return pathOf(place, rotation.label(clock.now()))
  }
  const write = (path: string, node: string, sep: string, lines: readonly Buffer[]): Promise<void> => {
    const head = Buffer.from(namesNode ? node + sep : '')
    return lines.length === 0 ? Promise.resolve() : append(path, Buffer.concat(lines.flatMap((line) => [head, line])))
  }
  const trace = (info: LogInfo, buffer: readonly Buffer[], node: string): Promise<void> => {
    const lines = buffer.filter((line) => line.length <= longestTrace)
    for (const line of lines) {
      const parsed = parseTraceLine(line.toString('utf8'))
      if (parsed !== undefined) onTraceLine(parsed)
    }
    const path = pathAt(placeOfInfo({ ...info, appname: traces.app, servername: traces.server, setdivision: '' }), info.sFormat, undefined)
    return write(path, [node, info.appname, info.servername].join(separator), separator, lines)
  }
  const guarded = ({ peer }: Current, server: string, take: () => Promise<void>): Promise<void> => Promise.resolve(check.guard(peer.address, server, take, () => {
    throw new TarsCallError(refused, `the caller is no pod of ${server}, whose logs it would write`)
  }))
  return {
    logger(...[app, server, file, format, buffer, current]: readonly [app: string, server: string, file: string, format: string, buffer: readonly Buffer[], current: Current]): Promise<void> {
      const { hourly, types } = overrides()
      const type = parseLogType(types.get(`${app}.${server}.${file}`) ?? '')
      return guarded(current, `${app}.${server}`, () => write(pathAt(placeOfLogger(app, server, file), hourly.has(`${app}.${server}`) ? hourlyFormat : format, type), current.caller, separator, buffer))
    },
    loggerbyInfo(info: LogInfo, buffer: readonly Buffer[], current: Current): Promise<void> {
      const { appname: app, servername: server } = info
      if (info.sFilename === traceFile) return guarded(current, `${app}.${server}`, () => trace(info, buffer, current.caller))
      const { hourly, types } = overrides()
      const forced = types.get(`${app}.${server}.${info.sFilename}`)
      const type = parseLogType(forced ?? info.sLogType)
      const format = forced !== undefined ? '' : hourly.has(`${app}.${server}`) ? hourlyFormat : info.sFormat
      return guarded(current, `${app}.${server}`, () => write(pathAt(placeOfInfo(info), format, type), current.caller, info.sSepar, buffer))
    },
  }
}

/** Logs have any encoding: their lines are handed on as the bytes that were sent. */
export const LogOfBytes: Interface = { ...Log, functions: Object.assign(Object.create(null), Log.functions, bytesOf('logger', 5, 'buffer'), bytesOf('loggerbyInfo', 2, 'buffer')) }

/** The function with its last parameter, a vector of strings, as bytes. */
function bytesOf(name: 'logger' | 'loggerbyInfo', tag: number, parameter: string): Record<string, FunctionCodec> {
  const codec = Log.functions[name] as FunctionCodec
  const last = codec.params.length - 1
  const withBytes = (args: unknown[]): unknown[] => [...args.slice(0, last), (args[last] as string[]).map((line) => Buffer.from(line))]
  return {
    [name]: {
      ...codec,
      readArgs: (r) => [...(name === 'logger' ? [1, 2, 3, 4].map((one) => r.readString(one)) : [readLogInfo(r, 1)]), readLines(r, tag)],
      readArgsTup: (map) => {
        const args = codec.readArgsTup(map)
        return [...args.slice(0, last), readLines(new Reader(map.get(parameter) ?? Buffer.alloc(0)), 0)]
      },
      argsFromJson: (value) => withBytes(codec.argsFromJson(value)),
    },
  }
}

function readLines(r: Reader, tag: number): Buffer[] {
  const count = r.beginList(tag)
  const lines: Buffer[] = []
  for (let index = 0; index < count; index++) {
    r.expect(0)
    lines.push(r.readStringBytes(0))
  }
  return lines
}
