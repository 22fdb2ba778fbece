// The simulated services: who they are, whom they call, and what they measure.

export const serviceCount = 200
/** Services that are started only in the morning of the second day. */
export const lateServices = 10
/** A service reports every so many steps. */
const everySteps = 6

export interface Service {
  readonly number: number
  readonly app: string
  readonly server: string
  readonly pod: string
  /** Of its pod. */
  readonly ip: string
  /** Where its connections come from; undefined: the address of the machine, as it has IPv6 only. */
  readonly from: string | undefined
  /** `name.area.group`, or empty. */
  readonly set: string
}

/** @param net first two numbers of the pods' IPv4 addresses, all of the loopback */
export function serviceOf(number: number, net: string): Service {
  const [app, server] = [`Shop${number % 20}`, `Svc${number}`]
  const isV6 = number % 11 === 0
  const v4 = `${net}.${1 + Math.floor(number / 100)}.${1 + (number % 100)}`
  return {
    number, app, server, pod: `${app}-${server}-0`.toLowerCase(), ip: isV6 ? `fd00::${number + 1}` : v4, from: isV6 ? undefined : v4,
    set: number % 8 === 0 ? `gz.sz.${number % 3}` : '',
  }
}

export const reportsIn = (step: number, { number }: Service): boolean => (step + number) % everySteps === 0

/** What statistics call a server: with its set, where it has one. */
export const nameOf = ({ app, server, set }: Service): string => `${app}.${server}${set === '' ? '' : `.${set.replaceAll('.', '')}`}`

/** Whom a service calls. */
export const calleesOf = ({ number }: Service): readonly number[] => [(number + 1) % serviceCount, (number + 7) % serviceCount, (number * 3 + 2) % serviceCount]

/** How callers know a service's host: by the name that the registry gave, or by its address. */
export const hostOf = ({ number, pod, app, server, ip }: Service): string => (number % 2 === 0 ? `${pod}.${app}-${server}`.toLowerCase() : ip)

/** Bounds of the property's distribution; greater values are not counted by @tars/monitor. */
export const bounds = [5, 50, 500] as const
