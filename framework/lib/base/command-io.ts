import type { Environment } from './lifecycle.ts'

/** What a command gets of its process. A command returns its exit code: 0 done, 1 failed, 2 wrong usage. */
export interface CommandIo {
  readonly out: NodeJS.WritableStream
  readonly err: NodeJS.WritableStream
  readonly env: Environment
  /** Aborts when the operator asks to stop. */
  readonly signal: AbortSignal
  readonly cwd: string
}
