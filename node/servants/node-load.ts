import { readdirSync } from 'node:fs'
import { loadavg } from 'node:os'
import { readText } from '../system/atomic-write.ts'
import { descendants } from '../system/processes.ts'

const LINE = '-'.repeat(100)

/** What an operator's page of the native node shows: the load, the processes, the threads of one of them, core files. */
export function nodeLoad(pid: number, folders: readonly string[]): string {
  const processes = [process.pid, ...descendants(process.pid)].map((one) => row(`/proc/${one}`, one))
  const threads = pid > 0 ? `#this-top-begin#${LINE}\n${threadsOf(pid)}#this-top-end#\n` : ''
  return `load average: ${loadavg().map((value) => value.toFixed(2)).join(', ')}\n${HEAD}${processes.join('')}#global-top-end#\n${threads}#core-file-begin#${LINE}\n${coreFiles(folders)}`
}

const HEAD = '    PID S   CPU s  RSS MiB COMMAND\n'

function threadsOf(pid: number): string {
  try {
    return HEAD + readdirSync(`/proc/${pid}/task`).map((task) => row(`/proc/${pid}/task/${task}`, Number(task))).join('')
  } catch {
    return `process ${pid} does not exist\n`
  }
}

/** One process or thread by its folder in /proc; empty when it has ended meanwhile. */
function row(folder: string, pid: number): string {
  const stat = readText(`${folder}/stat`)
  if (stat === undefined) return ''
  const end = stat.lastIndexOf(')')
  const fields = stat.slice(end + 2).split(' ')
  const seconds = (Number(fields[11]) + Number(fields[12])) / 100
  const resident = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readText(`${folder}/status`) ?? '')?.[1] ?? 0) / 1024
  return `${String(pid).padStart(7)} ${fields[0] ?? '?'} ${seconds.toFixed(2).padStart(7)} ${resident.toFixed(1).padStart(8)} ${stat.slice(stat.indexOf('(') + 1, end)}\n`
}

function coreFiles(folders: readonly string[]): string {
  const found = folders.flatMap((folder) => {
    try {
      return readdirSync(folder).filter((name) => name.startsWith('core.')).map((name) => `${folder}/${name}\n`)
    } catch {
      return []
    }
  })
  return found.join('')
}
