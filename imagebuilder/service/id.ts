import { randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

/**
 * A release id: `v<UTC yyyyMMddHHmmss>-<crc32 of the pod's name>-<hex>` (spec C.1). Unique among builders by the pod and
 * within a second by chance.
 */
export function releaseId(podName: string, now: number): string {
  const time = new Date(now).toISOString().replace(/\D/g, '').slice(0, 14)
  return `v${time}-${crc32(podName).toString(16)}-${randomInt(0x1000, 0xffff).toString(16)}`
}
