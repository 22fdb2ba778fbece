import { parseConfig } from '#tars/conf.ts'
import type { ConfigServant } from '#tars/protocol/ConfigF.ts'
import type { Current } from '#tars/server.ts'
import { podSeqOf, type PodByAddress } from './model/caller.ts'
import type { ConfigLibrary } from './model/library.ts'

export interface ConfigServantOptions {
  readonly library: ConfigLibrary
  readonly podByAddress: PodByAddress
  /** Return code of a load of a missing file. */
  readonly notFound: -1 | 0
}

interface Question {
  readonly app: string
  /** Empty for a file of the application. */
  readonly server: string
  readonly file: string
  /** Who asks, when the request says so. */
  readonly host: string
}

const maxParts = 3

/** `tars.tarsconfig.ConfigObj` (framework-services 2.1). */
export function configServant({ library, podByAddress, notFound }: ConfigServantOptions): ConfigServant {
  /** The host given, else the caller's node name, else its address. */
  const seqOf = ({ app, server, host }: Question, current: Current) =>
    host === '' ? (podSeqOf(app, server, current.caller, podByAddress) ?? podSeqOf(app, server, current.peer.address, podByAddress)) : podSeqOf(app, server, host, podByAddress)

  const find = (question: Question, current: Current): string | undefined => {
    const { app, server, file } = question
    return app === '' || file === '' ? undefined : library.text(app, server, file, server === '' ? undefined : seqOf(question, current))
  }
  const load = (question: Question | undefined, current: Current) => {
    const config = question && find(question, current)
    return config === undefined ? { return: question === undefined ? -1 : notFound, config: '' } : { return: 0, config }
  }
  const check = (question: Question | undefined, current: Current) => {
    const text = question && find(question, current)
    return text === undefined ? { return: -1, result: missing(question) } : checkText(text)
  }
  const list = (app: string, server: string) => ({ return: 0, vf: library.names(app, server) })

  return {
    ListConfig: (app, server) => list(app, server),
    loadConfig: (app, server, filename, current) => load({ app, server, file: filename, host: '' }, current),
    loadConfigByHost: (appServerName, filename, host, current) => load(questionOf(appServerName, filename, host), current),
    checkConfig: (appServerName, filename, host, current) => check(questionOf(appServerName, filename, host), current),
    ListConfigByInfo: (info) => (isSetOrNone(info.setdivision) ? list(info.appname, info.bAppOnly ? '' : info.servername) : { return: -1, vf: [] }),
    loadConfigByInfo: (info, current) => load(questionOfInfo(info), current),
    checkConfigByInfo: (info, current) => check(questionOfInfo(info), current),
    ListAllConfigByInfo: (info) => (isSetOrNone(info.setdivision) ? list(info.appname, info.bAppOnly ? '' : info.servername) : { return: -1, vf: [] }),
  }
}

/** `App` or `App.Server`; undefined for anything else. */
function questionOf(appServerName: string, file: string, host: string): Question | undefined {
  const [app = '', server = '', ...rest] = appServerName.split('.')
  return app === '' || rest.length > 0 || appServerName.endsWith('.') ? undefined : { app, server, file, host }
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
  return isSetOrNone(setdivision) ? { app: appname, server: bAppOnly ? '' : servername, file: filename, host } : undefined
}

/** No files are kept by set: a set of the right form gets the server's files, any other is an error (2.2). */
function isSetOrNone(setdivision: string): boolean {
  return setdivision === '' || setdivision.split('.').length === maxParts
}

function checkText(text: string): { return: number; result: string } {
  try {
    parseConfig(text)
    return { return: 0, result: text }
  } catch (error) {
    return { return: -1, result: (error as Error).message }
  }
}

function missing(question: Question | undefined): string {
  if (question === undefined) return 'the name must be App or App.Server, and a set must have three parts'
  const owner = question.server === '' ? question.app : `${question.app}.${question.server}`
  return `${owner} has no file ${question.file}`
}
