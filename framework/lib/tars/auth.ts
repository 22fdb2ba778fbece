// Accounts of connections, as TarsCpp has them for endpoints with `-e 1` (TarsCpp AuthLogic.cpp, TarsProtocol AuthF.tars; TarsDocs, "Authentication"):
// the first packet shows that the caller knows the secret key of an access key, and is answered AUTH_SUCC, or not at all.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readEnv } from '#base/env.ts'
import { Failure } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'
import { Reader } from './codec/reader.ts'
import { Writer } from './codec/writer.ts'
import { encodeRequest, version } from './packet.ts'

export interface Account {
  readonly accessKey: string
  readonly secretKey: string
}

/** Whose callers must have an account, and which there are. */
export interface Accounts {
  /** Objects that want one, beside those whose endpoint says `-e 1`. */
  readonly objects: ReadonlySet<string>
  /** The secret key of an access key; undefined when nobody has it. */
  secretOf(accessKey: string): string | undefined
}

/** How long what was read counts, milliseconds. */
const freshMs = 10_000

/**
 * TARS_AUTH: names of objects, between commas, that want an account; TARS_ACCOUNTS: a folder as a mounted Secret is one, in which each
 * file is named for an access key and has its secret key. It is read anew when it is older than ten seconds; while it cannot be read the last ones count.
 * @throws Failure ENV_INVALID when there are objects and no folder, TARS_ACCOUNTS when that cannot be read
 */
export function accountsEnv(env: Environment, now: () => number = () => performance.now()): Accounts | undefined {
  const read = readEnv(env)
  const objects = new Set(read.optional('TARS_AUTH', '').split(',').map((name) => name.trim()).filter((name) => name !== ''))
  if (objects.size === 0) return undefined
  const folder = read.required('TARS_ACCOUNTS')
  let [secrets, readAt] = [firstSecrets(folder), now()]
  return {
    objects,
    secretOf(accessKey) {
      if (now() - readAt >= freshMs) [secrets, readAt] = [secretsIn(folder) ?? secrets, now()]
      return secrets.get(accessKey)
    },
  }
}

/** TARS_ACCESS_KEY and TARS_SECRET_KEY: the account by which this process calls objects that want one. */
export function accountEnv(env: Environment): Account | undefined {
  const read = readEnv(env)
  const accessKey = read.optional('TARS_ACCESS_KEY')
  return accessKey === undefined ? undefined : { accessKey, secretKey: read.required('TARS_SECRET_KEY') }
}

function firstSecrets(folder: string): ReadonlyMap<string, string> {
  return secretsIn(folder) ?? failed(new Failure('TARS_ACCOUNTS', `accounts cannot be read from ${folder}`, { remedy: 'mount a Secret there, or leave TARS_AUTH out' }))
}

/** Secret keys by access key; undefined while the folder cannot be read, as one that is being replaced. */
function secretsIn(folder: string): ReadonlyMap<string, string> | undefined {
  try {
    // A mounted Secret has its files behind links, beside folders whose names begin with dots.
    const names = readdirSync(folder).filter((name) => !name.startsWith('.') && statSync(join(folder, name)).isFile())
    return new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8').trim()]))
  } catch {
    return undefined
  }
}

function failed(error: Error): never {
  throw error
}

/** Fields of BasicAuthPackage. The signature is a string on the wire, and no text. */
const tag = { object: 1, accessKey: 2, time: 3, hash: 4, signature: 5 } as const
const hashMethod = 'sha1'
/** Clocks may differ by less than this, seconds. */
const clockRange = 3600
/** Head of {@link tag.signature} as a string of up to 255 bytes. */
const signatureHead = (tag.signature << 4) | 6
const succeeded = 'AUTH_SUCC'

/** The packet that opens a connection to an object. @param seconds since the epoch */
export function authRequest(object: string, { accessKey, secretKey }: Account, seconds: number): Buffer {
  const body = new Writer(256)
  body.writeString(tag.object, object)
  body.writeString(tag.accessKey, accessKey)
  body.writeLong(tag.time, BigInt(seconds))
  body.writeString(tag.hash, hashMethod)
  const signature = signatureOf(secretKey, BigInt(seconds))
  body.writeRaw(Buffer.from([signatureHead, signature.length]))
  body.writeRaw(signature)
  // As TarsCpp names it; servers look at nothing but the body.
  return encodeRequest({ version: version.tars, requestId: 1, messageType: 0x40, servant: 'authServant', func: 'InnerAuthServer', body: body.view() })
}

/** What a connection's first answer says. */
export const isAdmitted = (body: Buffer): boolean => body.toString('latin1') === succeeded

export const admission = Buffer.from(succeeded)

/**
 * Checks the body of the packet that opens a connection.
 * @param seconds since the epoch
 * @returns the access key
 * @throws Failure TARS_AUTH with native's name of what is wrong
 */
export function checkAuth(body: Buffer, serves: (object: string) => boolean, accounts: Pick<Accounts, 'secretOf'>, seconds: number): string {
  const { object, accessKey, time, hash, signature } = readPackage(body)
  if (!serves(object)) throw refused('AUTH_WRONG_OBJ', 'it is for an object that is not here')
  const secretKey = accounts.secretOf(accessKey)
  if (secretKey === undefined || secretKey === '') throw refused('AUTH_WRONG_AK', 'nobody has its access key')
  if (Math.abs(Number(time) - seconds) >= clockRange) throw refused('AUTH_WRONG_TIME', 'its time is not the time here')
  if (hash !== hashMethod) throw refused('AUTH_NOT_SUPPORT_ENC', `it is not made with ${hashMethod}`)
  const wanted = signatureOf(secretKey, time)
  // Equal plain texts under a key have equal signatures: nothing needs to be decrypted.
  if (signature.length !== wanted.length || !process.getBuiltinModule('node:crypto').timingSafeEqual(signature, wanted)) throw refused('AUTH_ERROR', 'its secret key is another one')
  return accessKey
}

function readPackage(body: Buffer): { readonly object: string; readonly accessKey: string; readonly time: bigint; readonly hash: string; readonly signature: Buffer } {
  try {
    const r = new Reader(body)
    return { object: r.readString(tag.object), accessKey: r.readString(tag.accessKey), time: r.readLong(tag.time), hash: r.readString(tag.hash, hashMethod), signature: r.readStringBytes(tag.signature) }
  } catch (cause) {
    throw refused('AUTH_PROTO_ERR', 'it is no account', cause)
  }
}

function refused(state: string, why: string, cause?: unknown): Failure {
  return new Failure('TARS_AUTH', `the caller is not admitted (${state}): the first packet shows no account that counts, ${why}`, { cause, remedy: 'give the caller accesskey and secretkey of the object' })
}

/** Shows that somebody knows the secret key: its hash, encrypted under a key of the hash's own hash and the time. */
function signatureOf(secretKey: string, seconds: bigint): Buffer {
  const { createCipheriv, createHash } = process.getBuiltinModule('node:crypto')
  const hex = (algorithm: string, bytes: Buffer | string): string => createHash(algorithm).update(bytes).digest('hex')
  const secret1 = hex('sha1', secretKey)
  const mixed = Buffer.from(hex('sha1', secret1), 'latin1')
  const time = Buffer.alloc(8)
  time.writeBigInt64LE(seconds)
  for (const [index, byte] of time.entries()) mixed[index] = (mixed[index] as number) | byte
  // Triple DES, of whose key TarsCpp takes the first 24 characters.
  const cipher = createCipheriv('des-ede3', Buffer.from(hex('md5', mixed).slice(0, 24), 'latin1'), null)
  return Buffer.concat([cipher.update(secret1, 'latin1'), cipher.final()])
}
