import type { Codec } from './codec.ts'
import { gzip } from './gzip.ts'
import { zstd } from './zstd.ts'

/** Those that layers can be compressed by; the first is the default. */
export const codecs: readonly Codec[] = [gzip, zstd]
