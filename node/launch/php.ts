import { findEntrance } from './entrance.ts'
import type { LaunchInput, LaunchPlan } from './plan.ts'
import { findInterpreter, findProgram, onPath } from './programs.ts'

/** What the template tars.php names, Debian's place. The official images have another, so PATH is searched besides. */
const TEMPLATE_PHP = '/usr/bin/php'

/** php: `php <entrance> --config=<conf> start`; with `stop` it ends it, for PHP services have no AdminObj. Native nodes said `start`, too, and there are services that do nothing without. */
export function planPhp(input: LaunchInput): LaunchPlan {
  const { paths, env, setting } = input
  const entrance = findEntrance(input, ['src/index.php'])
  const file = setting('php') === TEMPLATE_PHP ? findProgram('php', [TEMPLATE_PHP, ...onPath('php', input)], input) : findInterpreter('php', 'php', onPath('php', input), input)
  // PHP finds itself (PHP_BINARY) by its first word.
  const argv = [file, entrance, `--config=${paths.confFile}`]
  return { file, argv: [...argv, 'start'], cwd: paths.binDir, env, stop: [...argv, 'stop'] }
}
