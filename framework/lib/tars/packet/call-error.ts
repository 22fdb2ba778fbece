import { Failure, type FailureOptions } from '#base/errors.ts'
import { ret } from './codes.ts'

const names: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(ret).map(([name, code]) => [code, name]))
const temporaryCodes: ReadonlySet<number> = new Set([ret.queueTimeout, ret.overload])

/**
 * A call that was answered with a code other than 0. A servant throws it to choose the code (`iRet`) of its answer;
 * a client gets it for such an answer. `code` of the Failure is `TARS_CALL_REFUSED`.
 */
export class TarsCallError extends Failure {
  /** `iRet` of the response packet. */
  readonly ret: number

  /** @param ret not 0; negative codes are the framework's, positive ones the servant's own */
  constructor(code: number, message: string, options: FailureOptions = {}) {
    super('TARS_CALL_REFUSED', message, { temporary: temporaryCodes.has(code), ...options, context: { ...options.context, ret: code } })
    this.ret = code
  }
}

/** The name of a framework code, or its number as text. */
export function retName(code: number): string {
  return names[code] ?? String(code)
}
