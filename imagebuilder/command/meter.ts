import type { BuildProgress } from '../build.ts'

/** Shows how a build goes. */
export interface Meter {
  at(progress: BuildProgress): void
  /** Ends the line that is being redrawn. */
  end(): void
}

const width = 30
const redrawMs = 100
const labels: Readonly<Record<BuildProgress['phase'], string>> = { base: 'reading base image', package: 'package', publish: 'publishing' }

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

/** A bar that is redrawn on a terminal; elsewhere a line a phase and a line a quarter. */
export function meterFor(stream: NodeJS.WritableStream): Meter {
  return (stream as { isTTY?: boolean }).isTTY === true ? barMeter(stream) : lineMeter(stream)
}

function barMeter(stream: NodeJS.WritableStream): Meter {
  const started = performance.now()
  let drawn = -Infinity
  let open = false
  return {
    at({ phase, read, size, pushed }) {
      const now = performance.now()
      if (phase === 'package' && now - drawn < redrawMs && read < size) return
      drawn = now
      const filled = Math.floor((width * read) / Math.max(1, size))
      const rate = read / 1e6 / Math.max(0.001, (now - started) / 1000)
      const bar = phase === 'base' ? '' : ` [${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${megabytes(read)} of ${megabytes(size)}, ${megabytes(pushed)} pushed, ${rate.toFixed(0)} MB/s`
      stream.write(`\r\x1b[K${labels[phase]}${bar}`)
      open = true
    },
    end() {
      if (open) stream.write('\n')
      open = false
    },
  }
}

function lineMeter(stream: NodeJS.WritableStream): Meter {
  let phase: BuildProgress['phase'] | undefined
  let quarter = 0
  return {
    at(progress) {
      const reached = Math.floor((4 * progress.read) / Math.max(1, progress.size))
      if (progress.phase !== phase) stream.write(`${labels[progress.phase]} …\n`)
      else if (progress.phase === 'package' && reached > quarter) stream.write(`${labels.package}: ${reached * 25} % of ${megabytes(progress.size)}\n`)
      phase = progress.phase
      quarter = reached
    },
    end: () => {},
  }
}
