import { isTerminal } from './io.ts'

const barWidth = 24

/** One line that is redrawn on a terminal; elsewhere a line a step, so that logs stay readable. */
export interface Progress {
  /** Says what is being done; a new text begins a new step. */
  step(text: string): void
  /** How much of the step is done. Shown on terminals only. */
  part(done: number, total: number): void
  /** Ends the line. */
  end(): void
}

/** @param out where people look; nothing a script reads goes there */
export function createProgress(out: NodeJS.WritableStream): Progress {
  const live = isTerminal(out)
  let current = ''
  let shown = ''
  const draw = (text: string) => {
    if (text === shown) return
    out.write(`\r\u001b[K${text}`)
    shown = text
  }
  return {
    step(text) {
      if (text === current) return
      if (live && shown !== '') out.write('\n')
      current = text
      shown = ''
      if (live) draw(text)
      else out.write(`${text}\n`)
    },
    part(done, total) {
      if (live) draw(`${current} ${bar(done, total)}`)
    },
    end() {
      if (live && shown !== '') out.write('\n')
      current = shown = ''
    },
  }
}

/** `[#####---] 62 % 12.4 of 20.0 MB` */
export function bar(done: number, total: number): string {
  const share = total <= 0 ? 1 : Math.min(1, done / total)
  const full = Math.round(share * barWidth)
  return `[${'#'.repeat(full)}${'-'.repeat(barWidth - full)}] ${Math.floor(share * 100)} % ${megabytes(done)} of ${megabytes(total)} MB`
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}
