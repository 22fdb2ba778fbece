// `tarsk8s image …` as a process of its own that tells its peak memory at the end.
import { run } from '../../imagebuilder/cli.ts'

process.exitCode = await run(process.argv.slice(2), { out: process.stdout, err: process.stderr, env: process.env, signal: new AbortController().signal, cwd: process.cwd() })
process.stderr.write(`peak ${process.resourceUsage().maxRSS} KB\n`)
