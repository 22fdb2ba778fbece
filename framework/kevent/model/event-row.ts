// An event of Kubernetes as it is kept (framework-services 9). Pure.
import type { AnyObject } from '#kube/types.ts'
import { cleanName } from '#store/clean-text.ts'
import { dayOf, type Row } from '#store/dataset.ts'

/** Characters of a message that are kept. */
const longestMessage = 8192
/** Characters of a document, as JSON; a longer one keeps what is known to matter. */
const longestDocument = 65_536
const known = ['type', 'reason', 'count', 'firstTimestamp', 'eventTime', 'source', 'reportingComponent', 'reportingInstance', 'action'] as const

/**
 * The row of a version of an event (core/v1). Its document is the event without metadata, with `@timestamp` and, where the
 * newer kind of events has none, lastTimestamp. The same version gives the same row.
 */
export function rowOf(event: AnyObject): Row {
  const { metadata, kind: _kind, apiVersion: _version, ...body } = event
  const time = timeOf(event)
  const object = (event['involvedObject'] ?? {}) as { readonly kind?: string; readonly name?: string; readonly namespace?: string }
  const text = (value: unknown): string => (typeof value === 'string' ? cleanName(value, 253) : '')
  const stamp = new Date(time).toISOString()
  const whole = { ...body, message: short(event['message']), lastTimestamp: event['lastTimestamp'] ?? stamp.replace('.000Z', 'Z'), '@timestamp': stamp }
  const fields = { time, kind: text(object.kind), name: text(object.name), namespace: text(object.namespace), type: text(event['type']), reason: text(event['reason']) }
  return { id: `${metadata.uid ?? ''}:${metadata.resourceVersion ?? ''}`, day: dayOf(time), fields, document: bounded(whole, fields) }
}

/** When it was last seen, milliseconds since the epoch. */
function timeOf(event: AnyObject): number {
  const series = event['series'] as { readonly lastObservedTime?: string } | null | undefined
  const candidates = [series?.lastObservedTime, event['lastTimestamp'], event['eventTime'], event['firstTimestamp'], event.metadata.creationTimestamp]
  const times = candidates.map((value) => (typeof value === 'string' ? Date.parse(value) : Number.NaN))
  return times.find((time) => Number.isFinite(time)) ?? 0
}

function short(message: unknown): string {
  const text = typeof message === 'string' ? message : ''
  return text.length > longestMessage ? `${text.slice(0, longestMessage - 1)}…` : text
}

function bounded(whole: Readonly<Record<string, unknown>>, { kind, name, namespace }: { readonly kind: string; readonly name: string; readonly namespace: string }): object {
  if (JSON.stringify(whole).length <= longestDocument) return whole
  const kept = [...known, 'message', 'lastTimestamp', '@timestamp'].map((field) => [field, whole[field]] as const).filter(([, value]) => JSON.stringify(value ?? null).length <= longestMessage * 2)
  // What has no namespace is told from the rest by having none.
  return { ...Object.fromEntries(kept), involvedObject: { kind, name, ...(namespace === '' ? {} : { namespace }) } }
}
