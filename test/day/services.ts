// Business services on Tars.js, many in one process: `services.ts <first> <end> <net> <folder of their configurations> <seed>`.
// Each has a communicator, a stat and a property reporter of its own, as in a process of its own, and its own address.
// What they are told is a step of the day; they make their calls and measurements, count them, and answer when all reports
// are sent. Reports of @tars/monitor are one-way: nobody tells it whether one has arrived, and it sends none twice.
import { createRequire } from 'node:module'
import { isIPv4, Socket } from 'node:net'
import { join } from 'node:path'
import { seeded } from '../chaos/random.ts'
import { bounds, calleesOf, hostOf, nameOf, reportsIn, serviceOf, type Service } from './plan.ts'
import { Tally, windowOf, type Sums } from './tally.ts'

/** What the launcher says: the services below `services` run, and this is the step at that time. Without it: give what was counted. */
export interface Step {
  readonly step: number
  readonly time: number
  readonly services: number
}

/** Lines of reportMicMsg and values of reportPropMsg that were sent in a step. */
export interface Sent {
  readonly lines: number
  readonly values: number
}

/** All that was sent: by day and key, and by day and minute. */
export interface Counted {
  readonly calls: Sums
  readonly callsByMinute: Sums
  readonly callsBySet: Sums
  readonly properties: Sums
  readonly propertiesByMinute: Sums
}

/* The peers are untyped JavaScript; these are the parts of them that a business service uses. */
interface Peer {
  readonly Communicator: new () => Communicator
}
interface Communicator {
  ClientConfig: object
  initialize(file: string): void
  stringToProxy(...args: unknown[]): Record<string, (message: Sized, ...rest: unknown[]) => Promise<unknown>>
}
interface Transceiver {
  reconnect(): void
  readonly _adapter: { readonly _worker: { readonly communicator: object } }
}
interface Sized {
  size(): number
  forEach(each: (key: unknown, value: { readonly vInfo?: { readonly length: number } }) => void): void
}
interface Monitor {
  readonly stat: { reportInterval: number; init(file: string): void; report(headers: object, type: string, time: number): void; readonly TYPE: Readonly<Record<'SUCCESS' | 'ERROR' | 'TIMEOUT', string>> }
  readonly property: { reportInterval: number; init(file: string): void; create(name: string, policies: readonly object[]): { report(value: number): void }; readonly POLICY: Readonly<Record<string, new (bounds?: readonly number[]) => object>> }
}

const [first = '0', end = '0', net = '', folder = '', seed = '0'] = process.argv.slice(2)
const random = seeded(Number(seed))
const require = createRequire(import.meta.url)
// First, as each of the two needs the other.
require('@tars/monitor')
const rpc = require('@tars/rpc') as Peer

/** Addresses of services by their communicators: connections come from there. */
const addresses = new WeakMap<object, string>()
let opening: string | undefined

const { TCPTransceiver } = require('@tars/rpc/core/client/Transceiver.js') as { readonly TCPTransceiver: { readonly prototype: Transceiver } }
const reconnect = TCPTransceiver.prototype.reconnect
TCPTransceiver.prototype.reconnect = function () {
  opening = addresses.get(this._adapter._worker.communicator)
  reconnect.call(this)
  opening = undefined
}
const connect = Socket.prototype.connect as unknown as (this: Socket, ...args: unknown[]) => Socket
Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
  const [port, host] = args
  return connect.apply(this, opening !== undefined && typeof host === 'string' && isIPv4(host) ? [{ port, host, localAddress: opening }] : args)
} as typeof connect

/** The modules of @tars/monitor once more, speaking through this communicator. */
function monitorOf(communicator: Communicator): Monitor {
  const shared = require.cache[require.resolve('@tars/rpc')]
  if (shared === undefined) throw new Error('@tars/rpc is not loaded')
  const whole = shared.exports as object
  shared.exports = { ...whole, client: communicator }
  const load = (name: string): unknown => {
    delete require.cache[require.resolve(name)]
    return require(name) as unknown
  }
  try {
    return { stat: load('@tars/monitor/stat/index.js'), property: load('@tars/monitor/property/index.js') } as Monitor
  } finally {
    shared.exports = whole
  }
}

interface Running {
  readonly service: Service
  readonly stat: Monitor['stat']
  readonly property: { report(value: number): void }
}

/** Reports on their way, and what waits for them. */
const sends: { readonly lines: number; readonly values: number; readonly sent: Promise<void> }[] = []
let onSend = (): void => {}

function start(service: Service): Running {
  const communicator = new rpc.Communicator()
  // Its own: else one of a set puts all of this process into the set.
  communicator.ClientConfig = { ...communicator.ClientConfig }
  if (service.from !== undefined) addresses.set(communicator, service.from)
  const make = communicator.stringToProxy.bind(communicator)
  communicator.stringToProxy = (...args) => {
    const proxy = make(...args)
    for (const name of ['reportMicMsg', 'reportPropMsg']) if (proxy[name] !== undefined) proxy[name] = recorded(proxy[name].bind(proxy))
    return proxy
  }
  const file = join(folder, `${service.pod}.conf`)
  const { stat, property } = monitorOf(communicator)
  stat.init(file)
  property.init(file)
  // The day is short.
  stat.reportInterval = property.reportInterval = 1
  const { POLICY } = property
  const policies = ['Count', 'Sum', 'Min', 'Max', 'Avg', 'Distr'].map((name) => new (POLICY[name] ?? Object)(bounds))
  return { service, stat, property: property.create('queue', policies) }
}

function recorded(send: (message: Sized, ...rest: unknown[]) => Promise<unknown>) {
  return (message: Sized, ...rest: unknown[]): Promise<unknown> => {
    let values = 0
    message.forEach((_key, { vInfo }) => void (values += vInfo?.length ?? 0))
    const promise = send(message, ...rest)
    const sent = promise.then(() => {}, (failure: { readonly response?: { readonly error?: { readonly code?: number; readonly message?: string } } }) => {
      // How it says that a one-way call went out.
      const error = failure.response?.error
      if (error?.code !== undefined || error?.message !== 'one way call do not need response') throw new Error(`a report was not sent: ${JSON.stringify(failure)}`)
    })
    sends.push({ lines: values === 0 ? message.size() : 0, values, sent })
    onSend()
    return promise
  }
}

const tallies = { calls: new Tally(), callsByMinute: new Tally(), callsBySet: new Tally(), properties: new Tally(), propertiesByMinute: new Tally() }

/** Some calls to each of those that a service calls. */
function call({ service, stat }: Running, time: number): void {
  const { date, tflag } = windowOf(time)
  for (const callee of calleesOf(service).map((number) => serviceOf(number, net))) {
    const method = random.pick(['get', 'put', 'list'])
    const [slaveSetName = '', slaveSetArea = '', slaveSetID = ''] = callee.set === '' ? [] : callee.set.split('.')
    const headers = {
      masterName: nameOf(service), slaveName: nameOf(callee), interfaceName: method, masterIp: service.ip, slaveIp: hostOf(callee), slavePort: 10_000 + (callee.number % 3), bFromClient: true,
      ...(callee.set === '' ? {} : { slaveSetName, slaveSetArea, slaveSetID }),
    }
    for (let count = random.whole(1, 9); count > 0; count--) {
      const [time, kind] = [random.whole(0, 4000), random.whole(0, 9)]
      const type = kind === 0 ? 'TIMEOUT' : kind === 1 ? 'ERROR' : 'SUCCESS'
      stat.report(headers, stat.TYPE[type], time)
      const done = type === 'SUCCESS'
      const sums = [Number(done), Number(type === 'TIMEOUT'), Number(type === 'ERROR'), done ? time : 0]
      tallies.calls.add([date, headers.masterName, headers.slaveName, method, callee.pod, headers.slavePort], [...sums, done ? time : 0], ['sum', 'sum', 'sum', 'sum', 'max'])
      tallies.callsByMinute.add([date, tflag], sums, [])
      tallies.callsBySet.add([slaveSetName, slaveSetArea, slaveSetID], sums, [])
    }
  }
}

/** Some values of each policy. */
function measure({ service, property }: Running, time: number): void {
  const values = Array.from({ length: random.whole(1, 5) }, () => random.whole(1, 900))
  for (const value of values) property.report(value)
  const { date, tflag } = windowOf(time)
  const sum = values.reduce((a, b) => a + b, 0)
  const add = (policy: string, value: number, by: 'sum' | 'min' | 'max', bucket = ''): void => tallies.properties.add([date, nameOf(service), 'queue', policy, bucket], [value, 1], [by, 'sum'])
  add('Count', values.length, 'sum')
  add('Sum', sum, 'sum')
  add('Min', Math.min(...values), 'min')
  add('Max', Math.max(...values), 'max')
  // Rounded down for each report.
  add('Avg', Math.floor(sum / values.length), 'sum')
  // Of values that are all beyond the last bound it says nothing.
  if (values.some((value) => value <= bounds[2])) for (const [index, bound] of bounds.entries()) add('Distr', values.filter((value) => value <= bound && value > (bounds[index - 1] ?? -1)).length, 'sum', String(bound))
  tallies.propertiesByMinute.add([date, tflag], [sum], [])
}

const running: Running[] = []

async function live({ step, time, services }: Step): Promise<Sent> {
  for (let number = Number(first) + running.length; number < Math.min(Number(end), services); number++) running.push(start(serviceOf(number, net)))
  const active = running.filter(({ service }) => reportsIn(step, service))
  for (const one of active) {
    call(one, time)
    measure(one, time)
  }
  const { promise, resolve } = Promise.withResolvers<void>()
  onSend = () => void (sends.length >= 2 * active.length && resolve())
  onSend()
  await promise
  const done = sends.splice(0)
  await Promise.all(done.map(({ sent }) => sent))
  return { lines: done.reduce((sum, { lines }) => sum + lines, 0), values: done.reduce((sum, { values }) => sum + values, 0) }
}

const counted = (): Counted => ({
  calls: tallies.calls.sums(), callsByMinute: tallies.callsByMinute.sums(), callsBySet: tallies.callsBySet.sums(),
  properties: tallies.properties.sums(), propertiesByMinute: tallies.propertiesByMinute.sums(),
})

process.on('disconnect', () => process.exit())
process.on('message', (said: Partial<Step>) => {
  if (said.step === undefined) process.send?.(counted())
  else void live(said as Step).then((sent) => process.send?.(sent))
})
