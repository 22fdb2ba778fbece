import type { Logger } from '#base/log.ts'

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

/** Hooks for statistics. They run inside the request path: they must be quick. Unset ones cost nothing. */
export interface ServerMetrics {
  onRequest?(adapter: string, servant: string, func: string, bytes: number): void
  onResponse?(record: RequestRecord): void
  /** The number of open connections of an adapter changed. */
  onConnections?(adapter: string, count: number): void
  /** A connection was closed by the server for the reason `code`, e.g. `TARS_PACKET_LENGTH`. */
  onRefused?(adapter: string, code: string): void
}

/** The same hooks, where one that throws is logged instead of breaking the request path. */
export function guarded(metrics: ServerMetrics | undefined, log: Logger): ServerMetrics | undefined {
  if (metrics === undefined) return undefined
  const call = (hook: keyof ServerMetrics, work: () => void): void => {
    try {
      work()
    } catch (error) {
      log.error('a metrics hook failed', { hook, error })
    }
  }
  return {
    ...(metrics.onRequest && { onRequest: (...args) => call('onRequest', () => metrics.onRequest?.(...args)) }),
    ...(metrics.onResponse && { onResponse: (record) => call('onResponse', () => metrics.onResponse?.(record)) }),
    ...(metrics.onConnections && { onConnections: (adapter, count) => call('onConnections', () => metrics.onConnections?.(adapter, count)) }),
    ...(metrics.onRefused && { onRefused: (adapter, code) => call('onRefused', () => metrics.onRefused?.(adapter, code)) }),
  }
}
