import { OciError } from './errors.ts'

const repository = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const tag = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/
const digest = /^sha256:([0-9a-f]{64})$/
const upload = /^[0-9a-f-]{36}$/

/** A repository name that is safe as a path: the grammar admits no `..` and no leading `_` or `/`. @throws NAME_INVALID */
export function checkRepository(name: string): string {
  if (name.length > 255 || !repository.test(name)) throw new OciError('NAME_INVALID', `"${name}" is not a repository name`)
  return name
}

/** @throws TAG_INVALID */
export function checkTag(name: string): string {
  if (!tag.test(name)) throw new OciError('TAG_INVALID', `"${name}" is not a tag`)
  return name
}

/** The hex part of a sha256 digest. @throws DIGEST_INVALID */
export function checkDigest(name: string): string {
  return digest.exec(name)?.[1] ?? fail(name)
}

function fail(name: string): never {
  throw new OciError('DIGEST_INVALID', `"${name}" is not a sha256 digest`)
}

export function isDigest(name: string): boolean {
  return digest.test(name)
}

/** @throws BLOB_UPLOAD_UNKNOWN */
export function checkUploadId(id: string): string {
  if (!upload.test(id)) throw new OciError('BLOB_UPLOAD_UNKNOWN', 'no such upload')
  return id
}
