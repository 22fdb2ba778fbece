import { roomFor, type Span } from './columns.ts'

/** Numbers beyond which memory is not kept for the next report. */
const mostKept = 1 << 16

/** Lines of a report that are read and not counted yet: all of them are, or none. Their memory is used again. */
export class Lines {
  #senses = new Int32Array(256)
  #isPart = new Uint8Array(256)
  /** Where the values of lines begin, and that of the last ends. */
  #bounds = new Int32Array(257)
  #values = new Float64Array(4096)
  #count = 0
  #end = 0
  readonly #span: Span = { column: this.#values, from: 0, to: 0 }

  get count(): number {
    return this.#count
  }

  clear(): void {
    this.#count = this.#end = 0
    if (this.#values.length > mostKept) this.#values = new Float64Array(4096)
  }

  /** A number of the value of the line that is added next. */
  push(number: number): void {
    if (this.#end === this.#values.length) this.#values = roomFor(this.#values, this.#end + 1)
    this.#values[this.#end++] = number
  }

  /** Sets one that was pushed since the last line. */
  set(place: number, number: number): void {
    this.#values[(this.#bounds[this.#count] as number) + place] = number
  }

  /** What was pushed since the last line; valid until the next call. */
  pushed(): Readonly<Span> {
    return this.#spanOf(this.#bounds[this.#count] as number, this.#end)
  }

  /** Takes back what was pushed since the last line, but so many. */
  keep(count: number): void {
    this.#end = (this.#bounds[this.#count] as number) + count
  }

  /**
   * Adds a line whose value was pushed.
   * @param sense as `Known` has it, or the meaning of a reason, negative
   * @param isPart of the same value as the line before
   */
  add(sense: number, isPart = false): void {
    if (this.#count === this.#senses.length) {
      this.#senses = roomFor(this.#senses, this.#count + 1)
      this.#isPart = roomFor(this.#isPart, this.#senses.length)
      this.#bounds = roomFor(this.#bounds, this.#senses.length + 1)
    }
    this.#isPart[this.#count] = Number(isPart)
    this.#senses[this.#count++] = sense
    this.#bounds[this.#count] = this.#end
  }

  sense(line: number): number {
    return this.#senses[line] as number
  }

  isPart(line: number): boolean {
    return this.#isPart[line] === 1
  }

  /** What it means instead. */
  setSense(line: number, sense: number): void {
    this.#senses[line] = sense
  }

  /** Valid until the next call. */
  value(line: number): Readonly<Span> {
    return this.#spanOf(this.#bounds[line] as number, this.#bounds[line + 1] as number)
  }

  #spanOf(from: number, to: number): Span {
    const span = this.#span
    span.column = this.#values
    span.from = from
    span.to = to
    return span
  }
}
