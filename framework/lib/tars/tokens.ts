// Who may call servants that are for tools: a folder as a mounted Secret is one, with a token in each file, named for who has it.
import { createHash, timingSafeEqual } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readEnv } from '#base/env.ts'
import { Failure } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'

/** Key of the request's context that carries the token. */
export const tokenKey = 'token'

export interface Tokens {
  /** Whether somebody has this token. */
  admits(token: string | undefined): boolean
}

/** TARS_TOKENS: the folder; without it, whoever reaches the port may call. @throws Failure TARS_TOKENS when it cannot be read */
export function tokensEnv(env: Environment): Tokens | undefined {
  const folder = readEnv(env).optional('TARS_TOKENS')
  return folder === undefined ? undefined : new TokenFolder(folder)
}

/** How long what was read counts, milliseconds. */
const freshMs = 10_000
/** Shorter ones can be guessed. */
const leastLength = 16

/** Tokens in files, read anew when they are older than ten seconds; while they cannot be read the last ones count. */
export class TokenFolder implements Tokens {
  readonly #folder: string
  readonly #now: () => number
  #digests: readonly Buffer[] = []
  #readAt: number

  /** @throws Failure TARS_TOKENS */
  constructor(folder: string, now: () => number = () => performance.now()) {
    this.#folder = folder
    this.#now = now
    this.#readAt = now()
    try {
      this.#digests = digestsIn(folder)
    } catch (cause) {
      throw new Failure('TARS_TOKENS', `tokens cannot be read from ${folder}`, { cause, remedy: 'mount a Secret there, or leave TARS_TOKENS out' })
    }
  }

  admits(token: string | undefined): boolean {
    if (token === undefined || token.length < leastLength) return false
    this.#refresh()
    const digest = digestOf(token)
    // All are looked at, each as long as any other.
    return this.#digests.reduce((found, one) => timingSafeEqual(one, digest) || found, false)
  }

  #refresh(): void {
    if (this.#now() - this.#readAt < freshMs) return
    this.#readAt = this.#now()
    try {
      this.#digests = digestsIn(this.#folder)
    } catch {
      // It is being replaced.
    }
  }
}

const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest()

function digestsIn(folder: string): Buffer[] {
  // A mounted Secret has its files behind links, beside folders whose names begin with dots.
  const files = readdirSync(folder).filter((name) => !name.startsWith('.')).map((name) => join(folder, name)).filter((path) => statSync(path).isFile())
  return files.map((path) => readFileSync(path, 'utf8').trim()).filter((token) => token.length >= leastLength).map(digestOf)
}
