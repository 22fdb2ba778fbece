import { createHash } from 'node:crypto'
import { Transform } from 'node:stream'
import { Failure } from '#base/errors.ts'

const pattern = /^sha256:[0-9a-f]{64}$/

/** `sha256:<hex>` of these bytes. */
export function digestOf(content: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

/** True for a digest this project reads: sha256, the one algorithm that every registry must support. */
export function isDigest(text: string): boolean {
  return pattern.test(text)
}

/** The hex part; @throws DIGEST_INVALID for anything but sha256, so that a digest may be used as a file name. */
export function digestHex(digest: string): string {
  if (!isDigest(digest)) throw new Failure('DIGEST_INVALID', `"${digest}" is not a sha256 digest`, { remedy: 'use sha256:<64 hexadecimal digits>' })
  return digest.slice('sha256:'.length)
}

/** Passes bytes through and fails at the end with DIGEST_MISMATCH when they are not the content that was named. */
export function verifying(digest: string, what: string): Transform {
  const hash = createHash('sha256')
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
    flush(done) {
      const found = `sha256:${hash.digest('hex')}`
      done(found === digest ? null : digestMismatch(what, digest, found))
    },
  })
}

export function digestMismatch(what: string, wanted: string, found: string): Failure {
  return new Failure('DIGEST_MISMATCH', `${what} is damaged: its content has digest ${found}, not ${wanted}`, { temporary: true, remedy: 'fetch it again; if it stays so, push the image anew', context: { wanted, found } })
}
