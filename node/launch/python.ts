import { findEntrance } from './entrance.ts'
import type { LaunchInput, LaunchPlan } from './plan.ts'
import { findInterpreter, onPath } from './programs.ts'

/** Scripts looked for in the package when the key entrance names none, in this order. */
export const pythonEntries = (server: string): readonly string[] => [`${server}.py`, 'main.py', 'src/main.py', 'app.py']

/** python: `python3 <entrance> --config=<conf>`. */
export function planPython(input: LaunchInput): LaunchPlan {
  const { paths, server, env } = input
  const entrance = findEntrance(input, pythonEntries(server))
  const file = findInterpreter('python', 'python3', [...onPath('python3', input), ...onPath('python', input)], input)
  return {
    file,
    // Python finds its library by its first word.
    argv: [file, entrance, `--config=${paths.confFile}`],
    cwd: paths.binDir,
    // Its output goes to a pipe: kept back in a buffer, the last lines of a crash would be lost.
    env: { PYTHONUNBUFFERED: '1', ...env },
  }
}
