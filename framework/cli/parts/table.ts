// Tables for a terminal. Pure.

export interface Column<Row> {
  readonly title: string
  readonly value: (row: Row) => string
  /** Numbers stand on the right. */
  readonly right?: boolean
}

const gap = '  '
/** A last column is cut to no less than this. */
const leastLast = 12
/** What a last column takes at most where there is no terminal whose width could be asked. */
const mostLast = 160

/**
 * Lines of a table: a head, then a line a row; columns as wide as their widest value. The last column takes what is
 * left of `width` and is cut with an ellipsis.
 * @param width columns of the terminal; undefined when the output goes elsewhere
 */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width?: number): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ value }) => oneLine(value(row))))]
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => displayWidth(line[index] ?? ''))))
  return cells.map((line) => `${renderLine(columns, line, widths, width)}\n`).join('')
}

function renderLine<Row>(columns: readonly Column<Row>[], line: readonly string[], widths: readonly number[], width: number | undefined): string {
  const last = columns.length - 1
  const head = line.slice(0, last).map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.right === true)).join(gap)
  const cell = line[last] ?? ''
  if (last === 0) return cell
  const room = width === undefined ? mostLast : Math.max(leastLast, width - displayWidth(head) - gap.length)
  return `${head}${gap}${cut(cell, room)}`.trimEnd()
}

function pad(text: string, width: number, right: boolean): string {
  const blank = ' '.repeat(Math.max(0, width - displayWidth(text)))
  return right ? blank + text : text + blank
}

/** At most `room` columns of a text. */
export function cut(text: string, room: number): string {
  if (displayWidth(text) <= room) return text
  let kept = ''
  for (const char of text) {
    if (displayWidth(kept + char) > room - 1) break
    kept += char
  }
  return `${kept}…`
}

/** Columns a text takes: Han, Kana, Hangul and full-width forms take two each. */
export function displayWidth(text: string): number {
  let width = 0
  for (const char of text) width += wide.test(char) ? 2 : 1
  return width
}

const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u

/** Control characters would break the table, or do worse to the terminal. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
}
