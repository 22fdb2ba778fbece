import type { Servant } from '#api/types.ts'
import { usageError } from './command.ts'

/** `HelloObj:18000`, `HelloObj:18000:udp`, `HttpObj:8080:tcp:not_tars` */
const form = /^([A-Za-z][0-9A-Za-z]{0,62}):(\d{1,5})((?::(?:tcp|udp|tars|not_tars))*)$/

export type GivenServant = Pick<Servant, 'name' | 'port' | 'isTcp' | 'isTars'>

/** Reads one --servant; the cluster checks the rest. */
export function parseServant(text: string): GivenServant {
  const [, name = '', port = '', words = ''] = form.exec(text) ?? []
  const number = Number(port)
  if (name === '' || number < 1 || number > 65535) {
    throw usageError(`--servant must be NAME:PORT[:udp][:not_tars], not "${text}"`, 'write e.g. --servant HelloObj:18000')
  }
  const given = new Set(words.split(':'))
  return { name, port: number, isTcp: !given.has('udp'), isTars: !given.has('not_tars') }
}

/** What is given, over what the servant of the same name has already. */
export function mergeServants(given: readonly GivenServant[], known: readonly Partial<Servant>[]): Record<string, unknown>[] {
  return given.map((servant) => ({ ...known.find(({ name }) => name === servant.name), ...servant }))
}
