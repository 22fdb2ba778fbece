import type { Encoded } from '../server/encoded.ts'

/** What a servant method may give back: the result, one in wire form, or a promise of either. */
export type Answer<T> = T | Encoded | Promise<T | Encoded>
