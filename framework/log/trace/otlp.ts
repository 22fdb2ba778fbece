// Traces as OpenTelemetry has them (OTLP 1.x, trace/v1 ExportTraceServiceRequest in JSON). Pure.
import { createHash } from 'node:crypto'
import type { Span, Trace } from './trace.ts'

/** Kinds of spans on the wire (opentelemetry.proto.trace.v1.Span.SpanKind). */
const kinds = { internal: 1, server: 2, client: 3 } as const
/** Status codes (opentelemetry.proto.trace.v1.Status.StatusCode). */
const failed = 2

interface Attribute {
  readonly key: string
  readonly value: { readonly stringValue: string } | { readonly intValue: string }
}

interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly Attribute[]
  readonly status?: { readonly code: number; readonly message: string }
}

export interface OtlpRequest {
  readonly resourceSpans: readonly { readonly resource: { readonly attributes: readonly Attribute[] }; readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly OtlpSpan[] }[] }[]
}

const textAttribute = (key: string, value: string): Attribute => ({ key, value: { stringValue: value } })

/** 16 bytes: an id that has that form already stays as it is. */
function traceIdOf(trace: string): string {
  const plain = trace.toLowerCase().replaceAll('-', '')
  return /^[0-9a-f]{32}$/.test(plain) && !/^0+$/.test(plain) ? plain : digest(trace, 32)
}

/** 8 bytes; the calls of one span at its two ends are two spans. */
const spanIdOf = (trace: string, span: string, end: 'client' | 'server'): string => digest(`${trace}\n${span}\n${end}`, 16)

function digest(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits)
}

/** Each call is a span of who called and one of who was called, under the service's name `App.Server`. */
export function otlpRequest(traces: readonly Trace[]): OtlpRequest {
  const made = traces.flatMap((trace) => [...trace.spans.values()].flatMap((span) => spansOf(trace, span)))
  return {
    resourceSpans: [...Map.groupBy(made, ({ service }) => service)].map(([service, some]) => ({
      resource: { attributes: [textAttribute('service.name', service)] },
      scopeSpans: [{ scope: { name: 'tars' }, spans: some.map(({ span }) => span) }],
    })),
  }
}

function spansOf({ trace, spans }: Trace, span: Span): { service: string; span: OtlpSpan }[] {
  const { times: { cs, cr, sr, ss, ts, te }, master, slave } = span
  const parent = span.parent === '' || span.parent === span.span ? undefined : spans.get(span.parent)
  const above = parent === undefined ? {} : { parentSpanId: spanIdOf(trace, parent.span, hasServerSide(parent) ? 'server' : 'client') }
  const make = (kind: number, id: string, [start, end]: readonly [number | undefined, number | undefined], under: { parentSpanId?: string }): OtlpSpan => ({
    traceId: traceIdOf(trace), spanId: id, ...under, kind,
    name: span.function === '' ? slave || master : `${slave}/${span.function}`,
    startTimeUnixNano: nanos(start ?? end ?? 0), endTimeUnixNano: nanos(end ?? start ?? 0),
    attributes: attributesOf(trace, span),
    ...(isFailure(span) ? { status: { code: failed, message: span.exception } } : {}),
  })
  const made: { service: string; span: OtlpSpan }[] = []
  const hasClientSide = cs !== undefined || cr !== undefined
  if (ts !== undefined || te !== undefined) made.push({ service: slave || master, span: make(kinds.internal, spanIdOf(trace, span.span, 'server'), [ts, te], above) })
  if (hasClientSide) made.push({ service: master, span: make(kinds.client, spanIdOf(trace, span.span, 'client'), [cs, cr], above) })
  if (sr !== undefined || ss !== undefined) made.push({ service: slave, span: make(kinds.server, spanIdOf(trace, span.span, 'server'), [sr, ss], hasClientSide ? { parentSpanId: spanIdOf(trace, span.span, 'client') } : above) })
  return made
}

const hasServerSide = ({ times: { sr, ss, ts, te } }: Span): boolean => [sr, ss, ts, te].some((time) => time !== undefined)
const isFailure = ({ ret, exception }: Span): boolean => exception !== '' || !['', '0'].includes(ret)
const nanos = (ms: number): string => (BigInt(ms) * 1_000_000n).toString()

/** Names of the semantic conventions for RPC; what Tars alone has is under `tars`. */
function attributesOf(trace: string, { span, slave, function: method, ret, exception, data }: Span): Attribute[] {
  const texts: readonly (readonly [string, string])[] = [
    ['rpc.system', 'tars'], ['rpc.service', slave], ['rpc.method', method], ['tars.trace', trace], ['tars.span', span], ['tars.ret', ret], ['exception.message', exception],
    ...Object.entries(data).map(([moment, base64]) => [`tars.data.${moment}`, base64] as const),
  ]
  return texts.filter(([, value]) => value !== '').map(([key, value]) => textAttribute(key, value))
}
