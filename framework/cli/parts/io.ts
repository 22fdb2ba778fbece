import type { CommandIo } from '#base/command-io.ts'

/** Exit codes of every command. */
export const exit = { ok: 0, failed: 1, usage: 2 } as const

/** Runs a command; resolves with its exit code. */
export type Run = (args: readonly string[], io: CommandIo) => Promise<number>

/** True when a person looks at it, so that lines may be redrawn. */
export function isTerminal(stream: NodeJS.WritableStream): boolean {
  return (stream as { isTTY?: boolean }).isTTY === true
}

/** Columns of a terminal; undefined when the output goes elsewhere. */
export function widthOf(stream: NodeJS.WritableStream): number | undefined {
  const { isTTY, columns } = stream as { isTTY?: boolean; columns?: number }
  return isTTY === true && columns !== undefined && columns > 20 ? columns : undefined
}
