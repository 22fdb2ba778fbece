// What functions of AdminReg answer with: a code and a text (framework-services 10, tarsErrCode).
import { localTime } from '#base/clock.ts'
import { Failure, describe } from '#base/errors.ts'
import { tarsErrCode } from '#tars/protocol/AdminReg.ts'

export interface Outcome {
  readonly return: number
  readonly result: string
}

export const codes = {
  success: tarsErrCode.EM_TARS_SUCCESS,
  unknown: tarsErrCode.EM_TARS_UNKNOWN_ERR,
  noNode: tarsErrCode.EM_TARS_NODE_NOT_REGISTRY_ERR,
  timeout: tarsErrCode.EM_TARS_CALL_NODE_TIMEOUT_ERR,
  noServer: tarsErrCode.EM_TARS_LOAD_SERVICE_DESC_ERR,
  state: tarsErrCode.EM_TARS_SERVICE_STATE_ERR,
  parameter: tarsErrCode.EM_TARS_PARAMETER_ERR,
  noRelease: tarsErrCode.EM_TARS_GET_PATCH_FILE_ERR,
  cannot: tarsErrCode.EM_TARS_CAN_NOT_EXECUTE,
} as const

/** A refusal that has a code of its own. */
export class Refusal extends Failure {
  readonly ret: number

  constructor(ret: number, message: string, remedy?: string) {
    super('ADMIN_REFUSED', message, remedy === undefined ? {} : { remedy })
    this.ret = ret
  }
}

/** Goes into a selector as it is. @throws Refusal 1007 for what no label says, as it could be a selector of its own */
export function labelValue(text: string): string {
  if (/^[0-9A-Za-z]([-._0-9A-Za-z]{0,61}[0-9A-Za-z])?$/.test(text)) return text
  throw new Refusal(codes.parameter, `"${text.slice(0, 128)}" is no name`, 'use up to 63 letters, digits, dots, dashes and underscores')
}

export const done = (result: string): Outcome => ({ return: codes.success, result })

/** Codes of a call that nobody answered. */
const unanswered = new Set(['TARS_TIMEOUT', 'TARS_CONNECT', 'TARS_CLOSED', 'TARS_NO_ENDPOINT'])

/** Any failure as an outcome. Callers look for "TimeOut" in the text of a node that does not answer. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof Refusal) return { return: error.ret, result: error.remedy === undefined ? error.message : `${error.message}; remedy: ${error.remedy}` }
  if (error instanceof Failure && unanswered.has(error.code)) return { return: codes.timeout, result: `TimeOut: ${error.message}` }
  return { return: codes.unknown, result: describe(error) }
}

/** Does the work; what it throws becomes the outcome. */
export async function attempt(work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work()
  } catch (error) {
    return outcomeOf(error)
  }
}

/** As native's tables have times, in the local zone ({@link localTime}); empty for none. @param time RFC 3339 */
export function plainTime(time: string | undefined): string {
  const at = Date.parse(time ?? '')
  return Number.isNaN(at) ? '' : localTime(at)
}
