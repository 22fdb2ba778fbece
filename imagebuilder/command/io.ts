/** What a command gets of the world. */
export interface CommandIo {
  readonly out: NodeJS.WritableStream
  readonly err: NodeJS.WritableStream
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  readonly cwd: string
}
