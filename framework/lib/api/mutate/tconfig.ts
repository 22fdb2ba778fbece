import { activationTime, activeVersion } from '../config-group.ts'
import { annotations, labels } from '../names.ts'
import { withAnnotations, withLabels } from '../meta.ts'
import type { TConfig } from '../types.ts'

/**
 * Version, time and labels of a TConfig (control-plane spec B.3), and when it was activated.
 * @param old the object before an update; absent for a new one
 * @param group the other versions, for a change that may let this one into force
 */
export function mutateConfig(config: TConfig, now: Date, old?: TConfig, group: readonly TConfig[] = []): TConfig {
  const made = old === undefined ? { ...config, version: configVersion(config.metadata.name, now), updateTime: now.toISOString() } : config
  const metadata = withLabels(withAnnotations(made.metadata, activation(made, now, old, group)), {
    [labels.app]: made.app,
    [labels.server]: made.server,
    [labels.configName]: made.configName,
    [labels.podSeq]: made.podSeq,
    [labels.configSet]: made.set === undefined || made.set === '' ? undefined : made.set,
    [labels.activated]: String(made.activated),
    [labels.version]: made.version,
  })
  return { ...made, metadata }
}

/**
 * Whether this is the change that lets a version into force: it is activated; or it still is, a later activation has replaced it, and the
 * controller has not yet said so. What is asked for is the same in both cases.
 */
function comesIntoForce(config: TConfig, old: TConfig | undefined, group: readonly TConfig[]): boolean {
  return config.activated && (old?.activated !== true || activeVersion([old, ...group]) !== old)
}

/** A version that comes into force is dated and no longer counts as replaced; otherwise the dates stay what they were. */
function activation(config: TConfig, now: Date, old: TConfig | undefined, group: readonly TConfig[]): Record<string, string | undefined> {
  if (comesIntoForce(config, old, group)) return { [annotations.activatedAt]: activationTime(now, group).toISOString(), [annotations.replacedAt]: undefined }
  return { [annotations.activatedAt]: old?.metadata.annotations?.[annotations.activatedAt] }
}

/** `yyyyMMddHHmmss-<crc32 of the object's name>`, UTC and 24 hours, so that text order is time order. */
export function configVersion(name: string, now: Date): string {
  return `${now.toISOString().replaceAll(/\D/g, '').slice(0, 14)}-${crc32(name).toString(16)}`
}

/** CRC-32 of ISO 3309, as zlib has it. */
export function crc32(text: string): number {
  let crc = ~0
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}
