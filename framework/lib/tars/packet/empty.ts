import { version } from './codes.ts'

const bodies: Readonly<Record<number, Buffer>> = {
  [version.tars]: Buffer.alloc(0),
  [version.tup]: Buffer.from([0x08, 0x0c]), // a map without entries at tag 0
  [version.json]: Buffer.from('{}'),
}

/** A body without values, for a ping or a refusal, that decoders of the version accept. */
export function emptyBody(ver: number): Buffer {
  return bodies[ver] ?? (bodies[version.tars] as Buffer)
}
