// PID 1 for a test of the reaper by itself. Spawns ARGV[3..] ARGV[2] times at once, and prints every status word that it
// is told, then the zombies that are left. ARGV[1]: `new` kernel, `old` kernel, or one that `refuses` descriptors from the
// second on, or is `hidden` behind what does not pass questions about descriptors on.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { bindLibc } from '../../../node/system/libc.ts'
import { Reaper } from '../../../node/system/reaper.ts'

const [mode = '', times = '', ...argv] = process.argv.slice(2)
const libc = bindLibc()
let opened = 0
const openProcess = (pid: number): number | undefined => (mode === 'refuses' && ++opened > 1 ? undefined : libc.openProcess(pid))
const words = new Map<number, number>()
const own = new Set<number>()

const zombies = (): number => readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && stateOf(pid) === 'Z').length

function stateOf(pid: string): string {
  try {
    return / \(.*\) (.)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1').replaceAll('\n', ' '))?.[1] ?? ''
  } catch {
    return ''
  }
}

function report(): void {
  if (own.size < Number(times) || [...own].some((pid) => !words.has(pid))) return
  // What they left behind has its own time to end in.
  if (zombies() > 0) return void setImmediate(report)
  console.log(`statuses ${[...own].map((pid) => words.get(pid)).join(' ')}`)
  process.exit(0)
}

const onEnded = (pid: number, word: number): void => {
  if (words.has(pid)) console.log(`told twice of ${pid}`)
  words.set(pid, word)
  setImmediate(report)
}
const reaper = new Reaper({ libc: { ...libc, get lastStatus() { return libc.lastStatus }, openProcess, tellsStatus: () => mode !== 'hidden' && libc.tellsStatus() }, kernel: mode === 'old' ? '5.10.0-28-amd64' : '6.15.0', onEnded })
reaper.start()
// Nothing else keeps the event loop alive.
setInterval(() => {}, 1000)
for (let i = 0; i < Number(times); i++) {
  const pid = reaper.spawn({ file: argv[0] ?? '', argv: [...argv, String(i)], cwd: '/', env: {} }, { stdout: 1, stderr: 2 })
  own.add(pid)
  // The one that has a descriptor ends, and is released, before the next has none.
  if (mode === 'refuses' && i === 0) while (existsSync(`/proc/${pid}`));
}
