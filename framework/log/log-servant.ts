import type { Clock } from '#base/clock.ts'
import { Limiter } from '#base/limiter.ts'
import type { CallerCheck } from '#kube/caller-check.ts'
import { cleanName } from '#store/clean-text.ts'
import { Strings } from '#tars/codec/strings.ts'
import type { LogInfo } from '#tars/protocol/LogF.ts'
import { TarsCallError, type Current, type Peer } from '#tars/server.ts'
import type { Bytes } from './files/log-files.ts'
import type { LoggerHead } from './log-codec.ts'
import { pathOf, placeOfInfo, placeOfLogger, type Place } from './model/file-name.ts'
import { hourlyFormat, type Overrides } from './model/overrides.ts'
import { Remembered } from './model/remembered.ts'
import { parseLogType, rotationOf, type LogType, type Rotation } from './model/rotation.ts'
import { parseTraceLine, writerOf, type TraceLine } from './trace/line.ts'

export interface LogServantOptions {
  /** @param mayBegin is asked when there is no such file yet */
  readonly append: (path: string, bytes: Bytes, mayBegin: () => boolean) => Promise<void>
  /** Each line begins with the name or address of who wrote it (framework-services 4.2, ipfix); those of traces always do (4.4). */
  readonly namesNode: boolean
  readonly overrides: () => Overrides
  /** @param owner whom it counts against */
  readonly onTraceLine: (line: TraceLine, owner: string) => void
  /** Who may write the logs of a server. */
  readonly check: CallerCheck
  readonly clock: Clock
}

/** `iRet` for logs that are another server's. */
const refused = -99

/** Name under which services write their traces (framework-services 4.4). */
const traceFile = '_t_trace_'
const traces = { app: '_tars_', server: '_trace_' } as const
/** A log that is no trace has no place among them: what stands there is each writer's own. */
function notOfTraces(place: Place): Place {
  if (place.folder.join('/') === `${traces.app}/${traces.server}`) throw new TarsCallError(refused, 'only traces are written there', { remedy: `send them by loggerbyInfo, with the sFilename "${traceFile}" and your own names` })
  return place
}
const longestTrace = 1 << 20
const separator = '|'
/** Characters of a format; no file has a longer name. A longer one is none, and neither read nor kept. */
const longestFormat = 255
const lineEnd = '\n'.charCodeAt(0)
const space = ' '.charCodeAt(0)
/** Neither ends a line nor a part of it. */
const oneWord = (text: string): string => cleanName(text).replaceAll(separator, '?')
/** Line ends within a line are spaces: what follows one would pass for another server's line. */
function inOneLine(line: Buffer): Buffer {
  const last = line.length - 1
  return line.subarray(0, last).includes(lineEnd) ? Buffer.from(line.map((byte, at) => (byte === lineEnd && at < last ? space : byte))) : line
}
/** Logs that a server may begin: a thousand in ten minutes are many, and each takes an inode of the disk, whatever is in it. */
const beginLimit = { windowMs: 600_000, count: 1000 } as const
/** Bytes of a head of lines that is kept for the next call: what a caller makes up cannot fill the memory. */
const longestKept = 512

const noHead = Buffer.alloc(0)

/** Where the lines of a call go, and what is before each. */
class Destination {
  /** `App.Server`, whose lines they are. */
  readonly server: string
  readonly isTrace: boolean
  readonly #ends: string
  readonly #locate: (now: number, overrides: Overrides) => string
  #path = ''
  #second = -1
  #overrides: Overrides | undefined
  #node: string | undefined
  #head = noHead

  /** @param ends what follows the caller's name before each line @param locate the path of the file */
  constructor(server: string, isTrace: boolean, ends: string, locate: (now: number, overrides: Overrides) => string) {
    this.server = server
    this.isTrace = isTrace
    this.#ends = ends
    this.#locate = locate
  }

  /** The same for a second at least: no format tells the time finer. */
  path(now: number, overrides: Overrides): string {
    const second = Math.floor(now / 1000)
    if (second !== this.#second || overrides !== this.#overrides) this.#path = this.#locate(now, overrides)
    this.#second = second
    this.#overrides = overrides
    return this.#path
  }

  /** What is before each line of a caller. */
  head(node: string): Buffer {
    if (node === this.#node) return this.#head
    const head = Buffer.from(node + this.#ends)
    if (head.length <= longestKept) [this.#node, this.#head] = [node, head]
    return head
  }
}

/** `tars.tarslog.LogObj` (framework-services 4), with the arguments of logInterface: an answer says that the lines are in the file. */
export function logServant({ append, namesNode, overrides, onTraceLine, check, clock }: LogServantOptions) {
  const rotations = new Remembered<Rotation>()
  /** One rotation a file, so that all that write to it go on in the next one together. */
  const pathAt = (now: number, place: Place, sent: string, type: LogType | undefined): string => {
    const format = sent.length > longestFormat ? '' : sent
    return pathOf(place, rotations.get(JSON.stringify([place, format, type]), () => rotationOf(format, type)).label(now))
  }
  const known = new WeakMap<LoggerHead | LogInfo, Destination>()
  const destinationOf = <Head extends LoggerHead | LogInfo>(head: Head, make: (head: Head) => Destination): Destination => {
    const before = known.get(head)
    if (before !== undefined) return before
    const destination = make(head)
    known.set(head, destination)
    return destination
  }
  const ofLogger = ({ app, server, file, format }: LoggerHead): Destination => {
    const [owner, place] = [`${app}.${server}`, notOfTraces(placeOfLogger(app, server, file))]
    return new Destination(owner, false, separator, (now, { hourly }) => pathAt(now, place, hourly.has(owner) ? hourlyFormat : format, undefined))
  }
  const ofInfo = (info: LogInfo): Destination => {
    if (info.sFilename === traceFile) return ofTrace(info)
    const [owner, place] = [`${info.appname}.${info.servername}`, notOfTraces(placeOfInfo(info))]
    return new Destination(owner, false, info.sSepar, (now, { hourly, types }) => {
      const forced = parseLogType(types.get(`${owner}.${info.sFilename}`) ?? '')
      if (forced !== undefined) return pathAt(now, place, '', forced)
      return pathAt(now, place, hourly.has(owner) ? hourlyFormat : info.sFormat, parseLogType(info.sLogType))
    })
  }
  const ofTrace = (info: LogInfo): Destination => {
    const { appname, servername, sFormat } = info
    const place = placeOfInfo({ ...info, appname: traces.app, servername: traces.server, setdivision: '' })
    return new Destination(`${appname}.${servername}`, true, ['', oneWord(appname), oneWord(servername), ''].join(separator), (now) => pathAt(now, place, sFormat, undefined))
  }
  const begun = new Limiter(beginLimit)
  const write = (to: Destination, lines: Strings, node: string, { address }: Peer): Promise<void> => {
    if (lines.count === 0) return Promise.resolve()
    return append(to.path(clock.now(), overrides()), new Headed(namesNode || to.isTrace ? to.head(node) : noHead, lines), () => begun.take(check.accountOf(address, to.server), clock.monotonic(), address).taken)
  }
  /** All write into one file: a line is one, and of its writer's own side of a call. */
  const writeTraces = (to: Destination, lines: Strings, { caller, peer }: Current): Promise<void> => {
    const { address } = peer
    const owner = check.accountOf(address, to.server)
    const kept = [...lines].map(inOneLine).filter((line) => {
      if (line.length > longestTrace) return false
      const parsed = parseTraceLine(line.toString('utf8'))
      if (parsed === undefined) return true
      if (!check.admits(address, writerOf(parsed))) return false
      onTraceLine(parsed, owner)
      return true
    })
    return write(to, Strings.of(kept), oneWord(caller), peer)
  }
  const put = (to: Destination, lines: Strings, current: Current): Promise<void> => (to.isTrace ? writeTraces(to, lines, current) : write(to, lines, current.caller, current.peer))
  const take = (to: Destination, lines: Strings, current: Current): Promise<void> => {
    const { address } = current.peer
    if (check.believes(address, to.server)) return put(to, lines, current)
    // Who calls may have to be asked for first.
    const kept = lines.kept()
    return Promise.resolve(check.guard(address, to.server, () => put(to, kept, current), () => {
      throw new TarsCallError(refused, `the caller is no pod of ${to.server}, whose logs it would write`)
    }))
  }
  return {
    logger: (head: LoggerHead, lines: Strings, current: Current): Promise<void> => take(destinationOf(head, ofLogger), lines, current),
    loggerbyInfo: (info: LogInfo, lines: Strings, current: Current): Promise<void> => take(destinationOf(info, ofInfo), lines, current),
  }
}

/** Lines, each with what says whose they are before it. */
class Headed implements Bytes {
  readonly length: number
  readonly #head: Buffer
  readonly #lines: Strings

  constructor(head: Buffer, lines: Strings) {
    this.#head = head
    this.#lines = lines
    this.length = lines.length + lines.count * head.length
  }

  copy(target: Buffer, start: number): void {
    this.#lines.copy(target, start, this.#head)
  }
}
