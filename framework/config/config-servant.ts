import { parseConfig } from '#tars/conf.ts'
import type { ConfigServant } from '#tars/protocol/ConfigF.ts'
import type { CallerCheck } from '#kube/caller-check.ts'
import type { Current } from '#tars/server.ts'
import type { CommonLoads } from './common-loads.ts'
import { podSeqOf, type PodByAddress } from './model/caller.ts'
import type { ConfigLibrary } from './model/library.ts'

export interface ConfigServantOptions {
  readonly library: ConfigLibrary
  /** Who may read the files of an application. */
  readonly check: CallerCheck
  readonly podByAddress: PodByAddress
  /** Return code of a load of a missing file. */
  readonly notFound: -1 | 0
  /** False when a peer asks for a file too often. */
  readonly mayAsk: (peer: string, key: string) => boolean
  /** Where answers are kept that are everybody's; absent when each load counts. */
  readonly common?: CommonLoads | undefined
}

interface Question {
  readonly app: string
  /** Empty for a file of the application. */
  readonly server: string
  readonly file: string
  /** Who asks, when the request says so. */
  readonly host: string
  /** `name.area.group`, or empty. */
  readonly set: string
}

const maxParts = 3
/** Codes of results (framework-services 2.1). */
const failed = -1
const tooMany = 429

/** `tars.tarsconfig.ConfigObj` (framework-services 2.1). */
export function configServant({ library, check: callers, podByAddress, notFound, mayAsk, common }: ConfigServantOptions): ConfigServant {
  /** The host given, else the caller's node name, else its address. */
  const seqOf = (question: Question, current: Current) => {
    const find = (host: string) => podSeqOf({ ...question, host }, podByAddress)
    return question.host === '' ? (find(current.caller) ?? find(current.peer.address)) : find(question.host)
  }
  const find = (question: Question, current: Current): string | undefined => {
    const { app, server, file: name, set } = question
    return app === '' || name === '' ? undefined : library.text({ app, server, name, set, podSeq: server === '' ? undefined : seqOf(question, current) })
  }
  const guarded = <T>(app: string, { peer }: Current, take: () => T, refused: Awaited<T>) => callers.guard(peer.address, app, take, () => refused)
  const load = (question: Question | undefined, current: Current) => guarded(question?.app ?? '', current, () => loaded(question, current), { return: failed, config: '' })
  const loaded = (question: Question | undefined, current: Current) => {
    const config = question && find(question, current)
    return config === undefined ? { return: question === undefined ? failed : notFound, config: '' } : { return: 0, config }
  }
  /** As native has it, by application, server, host and file; and by caller, so that nobody uses up what another one may. */
  const limited = (question: Question | undefined, current: Current) => {
    const { app = '', server = '', host = '', file = '' } = question ?? {}
    return mayAsk(current.peer.address, [app, server, host === '' ? current.caller : host, file].join('/')) ? load(question, current) : { return: tooMany, config: '' }
  }
  const check = (question: Question | undefined, current: Current) => guarded(question?.app ?? '', current, () => {
    const text = question && find(question, current)
    return text === undefined ? { return: failed, result: missing(question) } : checkText(text)
  }, { return: failed, result: missing(question) })
  const list = (app: string, current: Current, names: () => string[]) => guarded(app, current, () => ({ return: 0, vf: names() }), { return: failed, vf: [] })

  return {
    ListConfig: (app, server, current) => list(app, current, () => library.names(app, server, '')),
    loadConfig(app, server, filename, current) {
      const answer = limited({ app, server, file: filename, host: '', set: '' }, current)
      // Only one that nobody had to be asked for is everybody's.
      if (!(answer instanceof Promise) && answer.return === 0 && library.isCommon(app, server, filename)) common?.keep(app, server, filename, answer.config)
      return answer
    },
    loadConfigByHost: (appServerName, filename, host, current) => load(questionOf(appServerName, filename, host), current),
    checkConfig: (appServerName, filename, host, current) => check(questionOf(appServerName, filename, host), current),
    ListConfigByInfo({ appname, servername, bAppOnly, setdivision }, current) {
      const set = setOf(setdivision)
      return set === undefined ? { return: failed, vf: [] } : list(appname, current, () => library.names(appname, bAppOnly ? '' : servername, set))
    },
    loadConfigByInfo: (info, current) => limited(questionOfInfo(info), current),
    checkConfigByInfo: (info, current) => check(questionOfInfo(info), current),
    ListAllConfigByInfo({ appname, servername, bAppOnly, host, setdivision }, current) {
      if (!mayAsk(current.peer.address, [appname, servername, host === '' ? current.caller : host].join('/'))) return { return: tooMany, vf: [] }
      const set = setOf(setdivision)
      if (set === undefined) return { return: failed, vf: [] }
      // Of an application those of all its sets.
      return list(appname, current, () => (bAppOnly || servername === '' ? library.names(appname, '') : library.names(appname, servername, set)))
    },
  }
}

/** `App` or `App.Server`; undefined for anything else. */
function questionOf(appServerName: string, file: string, host: string): Question | undefined {
  const [app = '', server = '', ...rest] = appServerName.split('.', maxParts)
  return app === '' || rest.length > 0 || appServerName.endsWith('.') ? undefined : { app, server, file, host, set: '' }
}

interface Info {
  readonly appname: string
  readonly servername: string
  readonly filename: string
  readonly bAppOnly: boolean
  readonly host: string
  readonly setdivision: string
}

/** TarsGo asks for a file of the application by an empty server name alone: native takes both. */
function questionOfInfo({ appname, servername, filename, bAppOnly, host, setdivision }: Info): Question | undefined {
  const set = setOf(setdivision)
  return set === undefined ? undefined : { app: appname, server: bAppOnly ? '' : servername, file: filename, host, set }
}

/** Empty for none, which the conf of a service without a set calls NULL; undefined when it does not have three parts (2.2). */
function setOf(setdivision: string): string | undefined {
  if (setdivision === '' || setdivision === 'NULL') return ''
  return setdivision.split('.', maxParts + 1).length === maxParts ? setdivision : undefined
}

function checkText(text: string): { return: number; result: string } {
  try {
    parseConfig(text)
    return { return: 0, result: text }
  } catch (error) {
    return { return: failed, result: (error as Error).message }
  }
}

function missing(question: Question | undefined): string {
  if (question === undefined) return 'the name must be App or App.Server, and a set must have three parts'
  const owner = question.server === '' ? question.app : `${question.app}.${question.server}`
  return `${owner} has no file ${question.file}${question.set === '' ? '' : ` in set ${question.set}`}`
}
