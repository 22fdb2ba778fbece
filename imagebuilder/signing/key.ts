import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import { createPrivateKey, scrypt, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { Failure } from '#base/errors.ts'

const derive = promisify<Buffer, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt)
const keyBytes = 32
/** More than any key that cosign makes asks for. */
const mostMemory = 256 << 20

/** The body of cosign's encrypted PEM (secure-systems-lab/go-securesystemslib, "encrypted"). */
interface Sealed {
  readonly kdf: { readonly name: string; readonly params: { readonly N: number; readonly r: number; readonly p: number }; readonly salt: string }
  readonly cipher: { readonly name: string; readonly nonce: string }
  readonly ciphertext: string
}

/**
 * A private key to sign images with: as "cosign generate-key-pair" writes it, encrypted, or any unencrypted PEM of PKCS #8
 * or SEC 1, on the curve P-256.
 * @throws SIGNING_KEY_INVALID
 */
export async function readSigningKey(pem: string, password: string): Promise<KeyObject> {
  const sealed = /-----BEGIN ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY-----([^-]+)-----END/.exec(pem)?.[1]
  const key = sealed === undefined ? plain(pem) : await unseal(sealed, password)
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw invalid('it is not a key of ECDSA on the curve P-256')
  return key
}

function plain(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw invalid('it cannot be read', cause)
  }
}

async function unseal(base64: string, password: string): Promise<KeyObject> {
  let sealed: Sealed
  try {
    sealed = JSON.parse(Buffer.from(base64, 'base64').toString('utf8')) as Sealed
  } catch (cause) {
    throw invalid('its encrypted part cannot be read', cause)
  }
  const { kdf, cipher, ciphertext } = sealed
  if (kdf?.name !== 'scrypt' || cipher?.name !== 'nacl/secretbox') throw invalid(`it is encrypted by ${kdf?.name} and ${cipher?.name}`)
  const [salt, nonce, text] = [kdf.salt, cipher.nonce, ciphertext].map((field) => Buffer.from(field, 'base64')) as [Buffer, Buffer, Buffer]
  try {
    const key = await derive(Buffer.from(password), salt, keyBytes, { ...kdf.params, maxmem: mostMemory })
    const der = Buffer.from(xsalsa20poly1305(key, nonce).decrypt(text))
    return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  } catch (cause) {
    throw invalid('the password does not open it', cause)
  }
}

const invalid = (why: string, cause?: unknown): Failure =>
  new Failure('SIGNING_KEY_INVALID', `the key to sign images with is of no use: ${why}`, { ...(cause === undefined ? {} : { cause }), remedy: 'make one by "cosign generate-key-pair", and give its password' })
