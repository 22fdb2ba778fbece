// What was sent, counted where it was made: by day and key, and by minute.

/** What calls of one key came to, and when. */
export type Sums = Readonly<Record<string, readonly number[]>>

/** How two numbers of one key come together. */
export type By = 'sum' | 'min' | 'max'

/** Numbers by key, in the order that they are compared in. */
export class Tally {
  readonly #rows = new Map<string, number[]>()

  add(key: readonly (string | number)[], values: readonly number[], by: readonly By[]): void {
    const id = key.join(',')
    const known = this.#rows.get(id)
    this.#rows.set(id, known === undefined ? [...values] : known.map((value, index) => combine(by[index] ?? 'sum', value, values[index] ?? 0)))
  }

  sums(): Sums {
    return Object.fromEntries([...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

function combine(by: By, a: number, b: number): number {
  return by === 'sum' ? a + b : by === 'min' ? Math.min(a, b) : Math.max(a, b)
}

/** Several of one kind whose keys are all different, or are sums. */
export function together(parts: readonly Sums[]): Sums {
  const all = new Tally()
  for (const part of parts) for (const [key, values] of Object.entries(part)) all.add([key], values, values.map(() => 'sum'))
  return all.sums()
}

/** Day and minute of the window that holds an instant, as framework-services 6.3 names it: of its end, which on the hour is minute 60 of the hour before. */
export function windowOf(time: number): { readonly date: string; readonly tflag: string } {
  const end = new Date((Math.floor(time / 60_000) + 1) * 60_000)
  const onTheHour = end.getMinutes() === 0
  const named = onTheHour ? new Date(end.getTime() - 60_000) : end
  const two = (value: number): string => String(value).padStart(2, '0')
  return { date: `${named.getFullYear()}${two(named.getMonth() + 1)}${two(named.getDate())}`, tflag: `${two(named.getHours())}${onTheHour ? '60' : two(end.getMinutes())}` }
}
