/** `iVersion` of a packet: how its body is laid out (BaseF.tars; framework-services.md 0.2). */
export const version = {
  /** Parameters and result as Tars fields by tag. */
  tars: 1,
  /** TUP: a map from parameter name to encoded value. */
  tup: 3,
  /** A JSON object by parameter name. */
  json: 5,
} as const

export type Version = (typeof version)[keyof typeof version]

/** `cPacketType` of a request. */
export const packetType = { normal: 0, oneWay: 1 } as const

/** `iRet` of a response (BaseF.tars). */
export const ret = {
  success: 0,
  decodeError: -1,
  encodeError: -2,
  noFunction: -3,
  noServant: -4,
  queueTimeout: -6,
  callTimeout: -7,
  connectError: -8,
  overload: -9,
  unknownError: -99,
} as const

/** Default bound of one packet, header included: what TarsGo and TarsJava allow. */
export const defaultMaxPacketBytes = 10 * 1024 * 1024

/** Description of the packet with request id 0 that asks a client to leave this connection for a new one (TarsGo). */
export const reconnectMessage = '_reconnect_'

/**
 * Status key in the first request of a connection whose client understands {@link reconnectMessage}. Others must not get
 * it: TarsCpp drops the connection, @tars/rpc in TUP mode dies of it.
 */
export const reconnectStatus = 'STATUS_RECONNECT'

/** The function that every servant answers, to show that it lives. */
export const pingFunction = 'tars_ping'

/** TUP responses, also of the older version 2, travel in the layout of a request. */
export function hasTupLayout(ver: number): boolean {
  return ver === version.tup || ver === 2
}

export function isVersion(value: number): value is Version {
  return value === version.tars || value === version.tup || value === version.json
}
