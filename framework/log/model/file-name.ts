// Where a log is written (framework-services 4.3). Pure.
import type { LogInfo } from '#tars/protocol/LogF.ts'

/** The folder below the log path, and the file's name around the part that tells its time. */
export interface Place {
  readonly folder: readonly string[]
  readonly before: string
  readonly after: string
}

/** Bytes that a name may have on Linux, with room for the time and for `.gz`. */
const longestPart = 160

/** One step of a path, whatever was sent: nothing that leads elsewhere or cannot be typed. */
export function safePart(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const plain = text.replace(/[/\\\u0000-\u001f\u007f]/g, '_')
  const short = Buffer.byteLength(plain) > longestPart ? Buffer.from(plain).subarray(0, longestPart).toString('utf8').replace(/\uFFFD+$/, '') : plain
  return /^\.+$/.test(short) ? '_'.repeat(short.length) : short
}

/** Through `logger`. */
export function placeOfLogger(app: string, server: string, file: string): Place {
  return { folder: folderOf(app, '', server), before: `${safePart(file === '' ? `${app}.${server}` : `${app}.${server}_${file}`)}_`, after: '.log' }
}

/** Through `loggerbyInfo`. */
export function placeOfInfo({ appname, servername, sFilename, setdivision, bHasAppNamePrefix, bHasSufix, sConcatStr }: LogInfo): Place {
  const own = `${appname}.${servername}`
  const name = bHasAppNamePrefix ? (sFilename === '' ? own : `${own}${sConcatStr}${sFilename}`) : sFilename
  return { folder: folderOf(appname, setFolder(setdivision), servername), before: safePart(`${name}${sConcatStr}`), after: bHasSufix ? '.log' : '' }
}

/** The path below the log path. @param label see {@link Rotation} */
export function pathOf({ folder, before, after }: Place, label: string): string {
  return [...folder, `${before}${safePart(label)}${after}`].join('/')
}

/** What begins with a dot is no application's, but tarslog's own. */
function folderOf(app: string, set: string, server: string): string[] {
  return [app === '' ? '_' : safePart(app).replace(/^\./, '_'), ...(set === '' ? [] : [safePart(set)]), server === '' ? '_' : safePart(server)]
}

/** The three parts in one word, a wildcard left out; no folder for what is no set. */
function setFolder(setdivision: string): string {
  const [name = '', area = '', group = '', ...rest] = setdivision.split('.', 4)
  return rest.length > 0 || [name, area, group].includes('') ? '' : `${name}${area}${group === '*' ? '' : group}`
}
