import { Lines } from './lines.ts'
import { Known, reasons, type Key, type Reason } from './known.ts'
import type { FoldRules } from './fold.ts'
import type { KeyBounds } from './key-guard.ts'
import type { Windows } from './windows.ts'

export interface IntakeOptions {
  readonly rules: FoldRules
  readonly bounds: KeyBounds
  /** Meanings that an entry of {@link Known} may have. */
  readonly variants: number
  readonly windows: Pick<Windows, 'add'>
}

/** Reports on their way into windows: begun, read line by line, and counted as a whole. */
export class Intake {
  readonly known: Known
  readonly lines = new Lines()
  readonly counts: { taken: number; readonly refused: Record<Reason, number> } = { taken: 0, refused: { empty: 0, internal: 0, invalid: 0, foreign: 0 } }
  readonly #windows: IntakeOptions['windows']

  constructor({ rules, bounds, variants, windows }: IntakeOptions) {
    this.known = new Known(rules, variants, bounds.inAll * 2)
    this.#windows = windows
  }

  /** Begins a report. @param version of what is known of senders @returns the sender's entry */
  begin(version: number, sender: string): number {
    this.lines.clear()
    this.known.begin(version)
    return this.known.sender(sender)
  }

  /**
   * Counts the lines that were read. Resolves when the end of the process would not lose them.
   * @param variant of all lines, beside their own
   * @param mean says what a sense means that is not known yet
   * @throws Failure STORE_JOURNAL when it would, as the disk refuses them; they count all the same
   */
  async count(variant: number, mean: (sense: number) => Key | Reason): Promise<void> {
    const { known, lines, counts } = this
    for (let line = 0; line < lines.count; line++) {
      const sense = lines.sense(line)
      lines.setSense(line, sense < 0 ? sense : known.meaning(sense + variant) || known.learn(sense + variant, mean(sense + variant)))
    }
    let taken = 0
    for (let line = 0; line < lines.count; line++) {
      if (lines.isPart(line)) continue
      if (lines.sense(line) > 0) taken++
      else counts.refused[reasons[-1 - lines.sense(line)] as Reason]++
    }
    counts.taken += taken
    if (taken === 0) return
    await this.#windows.add((fold, tape) => {
      for (let line = 0; line < lines.count; line++) {
        const meaning = lines.sense(line)
        if (meaning > 0) fold.add(known.slot(fold, meaning), lines.value(line), tape)
      }
    })
  }
}

/** What stands in place of a sense for a line that is not counted. */
export const refused = (reason: Reason): number => -1 - reasons.indexOf(reason)
