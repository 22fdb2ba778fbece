/** One request as the metrics hooks see it. Counted when it is done, whatever became of it. */
export interface RequestRecord {
  readonly adapter: string
  readonly servant: string
  readonly function: string
  /** Address of the caller. */
  readonly peer: string
  readonly oneWay: boolean
  /** `iRet` of the answer. */
  readonly ret: number
  /** Milliseconds between arrival and the start of the method. */
  readonly queueMs: number
  /** Milliseconds that the method took. */
  readonly handleMs: number
  /** Body bytes of the request. */
  readonly requestBytes: number
  /** Bytes of the response packet; 0 when none was sent. */
  readonly responseBytes: number
}

/** Hooks for statistics. They run inside the request path: they must be quick and must not throw. Unset ones cost nothing. */
export interface ServerMetrics {
  onRequest?(adapter: string, servant: string, func: string, bytes: number): void
  onResponse?(record: RequestRecord): void
  /** The number of open connections of an adapter changed. */
  onConnections?(adapter: string, count: number): void
  /** A connection was closed by the server for the reason `code`, e.g. `TARS_PACKET_LENGTH`. */
  onRefused?(adapter: string, code: string): void
}
