import { Failure } from '#base/errors.ts'

const endpointProtocols = ['tcp', 'udp', 'ssl'] as const

/** Where something listens, as the Tars text `tcp -h HOST -p PORT -t TIMEOUT …` says it. */
export interface Endpoint {
  readonly protocol: (typeof endpointProtocols)[number]
  readonly host: string
  /** 0…65535. */
  readonly port: number
  /** `-t`, milliseconds. Default 3000. */
  readonly timeoutMs: number
  /** `-g`. Default 0. */
  readonly grid: number
  /** `-q`. Default 0. */
  readonly qos: number
  /** `-w`, -1…100; -1 without weight type. */
  readonly weight: number
  /** `-v`: 0 in turn, 1 static, 2 dynamic. */
  readonly weightType: number
  /** `-e`: 1 when the caller must identify itself. */
  readonly authType: number
}

/** An object name with the endpoints it is fixed to, if any: `App.Server.Obj@tcp -h …:tcp …`. */
export interface ObjectAddress {
  readonly object: string
  /** What follows `#` in the name: calls with the same hash go to the same endpoint. */
  readonly hash: string | undefined
  readonly endpoints: readonly Endpoint[]
}

type Option = 'port' | 'timeoutMs' | 'grid' | 'qos' | 'weight' | 'weightType' | 'authType'

const options: Readonly<Record<string, readonly [name: Option, low: number, high: number]>> = {
  p: ['port', 0, 65535],
  t: ['timeoutMs', -0x80000000, 0x7fffffff],
  g: ['grid', -0x80000000, 0x7fffffff],
  q: ['qos', -0x80000000, 0x7fffffff],
  w: ['weight', -1, 0x7fffffff],
  v: ['weightType', 0, 0x7fffffff],
  e: ['authType', 0, 1],
}

/**
 * Parses the text of one endpoint, with the rules of TC_Endpoint: options in any order, unknown ones skipped, host `*`
 * is 0.0.0.0, a weight type without weight means 100. Other than there, `-p` must be given.
 * @throws Failure `TARS_ENDPOINT` naming the text and the option
 */
export function parseEndpoint(text: string): Endpoint {
  const [protocol = '', ...words] = text.trim().split(/\s+/)
  if (!isProtocol(protocol)) throw endpointFailure(text, `it starts with "${protocol}"`, `start it with one of ${endpointProtocols.join(', ')}`)
  const given = new Map<string, string>()
  while (words.length > 0) {
    const option = words.shift() ?? ''
    if (!/^-[^]$/.test(option)) throw endpointFailure(text, `"${option}" is no option`, 'write options as -h HOST -p PORT -t MILLISECONDS')
    given.set(option.slice(1), takesArgument(words[0]) ? words.shift() ?? '' : '')
  }
  return assemble(text, protocol, given)
}

function assemble(text: string, protocol: Endpoint['protocol'], given: ReadonlyMap<string, string>): Endpoint {
  const host = given.get('h') ?? '0.0.0.0'
  if (host === '') throw endpointFailure(text, '-h has no host', 'write -h HOST')
  if (!given.has('p')) throw endpointFailure(text, 'it has no port', 'add -p PORT')
  const numbers = { port: 0, timeoutMs: 3000, grid: 0, qos: 0, weight: -1, weightType: 0, authType: 0 }
  for (const [option, value] of given) {
    const rule = Object.hasOwn(options, option) ? options[option] : undefined
    if (rule !== undefined) numbers[rule[0]] = integer(text, option, value, rule)
  }
  if (numbers.weightType !== 0) numbers.weight = numbers.weight === -1 ? 100 : Math.min(numbers.weight, 100)
  return { protocol, host: host === '*' ? '0.0.0.0' : host, ...numbers }
}

/** The text of an endpoint, as TC_Endpoint writes it: options beyond `-h -p -t` only when they differ from the default. */
export function formatEndpoint(endpoint: Pick<Endpoint, 'protocol' | 'host' | 'port' | 'timeoutMs'> & Partial<Endpoint>): string {
  const { protocol, host, port, timeoutMs } = endpoint
  const extra = extras.map(([option, name, usual]) => {
    const value = endpoint[name] ?? usual
    return value === usual ? '' : ` -${option} ${value}`
  })
  return `${protocol} -h ${host} -p ${port} -t ${timeoutMs}${extra.join('')}`
}

const extras: readonly (readonly [option: string, name: Option, usual: number])[] = [['g', 'grid', 0], ['q', 'qos', 0], ['w', 'weight', -1], ['v', 'weightType', 0], ['e', 'authType', 0]]

/**
 * Parses `App.Server.Obj`, or with fixed endpoints `App.Server.Obj@tcp -h … -p …:tcp …`.
 * @throws Failure `TARS_ENDPOINT`
 */
export function parseObject(text: string): ObjectAddress {
  const at = text.indexOf('@')
  const [object = '', hash] = (at < 0 ? text : text.slice(0, at)).trim().split('#', 2)
  if (object === '') throw endpointFailure(text, 'the object name is empty', 'write App.Server.Obj')
  // An IPv6 host has colons too: only one before a protocol separates.
  const list = at < 0 ? [] : text.slice(at + 1).split(/:(?=\s*(?:tcp|udp|ssl)\s)/)
  return { object, hash, endpoints: list.map(parseEndpoint) }
}

function isProtocol(word: string): word is Endpoint['protocol'] {
  return (endpointProtocols as readonly string[]).includes(word)
}

// An argument never starts with `-`, except the weight -1.
function takesArgument(word: string | undefined): boolean {
  return word !== undefined && (!word.startsWith('-') || /^-\d+$/.test(word) && word !== '-')
}

function integer(text: string, option: string, value: string, [, low, high]: readonly [Option, number, number]): number {
  const number = /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= low && number <= high)) throw endpointFailure(text, `-${option} is "${value}"`, `give -${option} an integer of ${low}…${high}`)
  return number
}

function endpointFailure(text: string, what: string, remedy: string): Failure {
  return new Failure('TARS_ENDPOINT', `"${text}" is no endpoint: ${what}`, { remedy, context: { text } })
}
