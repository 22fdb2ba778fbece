// `tarsk8s image …` within the process of a test.
import { Writable } from 'node:stream'
import { run } from '../../../imagebuilder/cli.ts'

export interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs the command in a folder. @returns its exit code and what it printed */
export async function imageCommand(args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const said = { out: '', err: '' }
  const sink = (name: 'out' | 'err'): Writable =>
    new Writable({
      write(part: Buffer, _encoding, done) {
        said[name] += part.toString()
        done()
      },
    })
  const code = await run(args, { out: sink('out'), err: sink('err'), env, signal: new AbortController().signal, cwd })
  return { code, ...said }
}
